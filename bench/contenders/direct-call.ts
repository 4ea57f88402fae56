/** The official client called at once, without a queue: what fails is lost with the process. */
import { Client } from '@elastic/elasticsearch';
import { reportOf } from '../stage/reports.ts';
import type { Contender } from './contender.ts';
import { readWork, workCommand } from './work.ts';

export const directCall: Contender = {
  name: 'direct',
  title: 'the direct call without a queue (official client)',
  isTuned: true,
  fill: async () => undefined,
  command: (work) => workCommand(import.meta.filename, work),
};

if (import.meta.main) {
  const { elasticsearchUrl, concurrency, reports } = readWork();
  const client = new Client({ node: elasticsearchUrl });
  let next = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < reports) {
        const { connector_sync_job_id, error } = reportOf(next++);
        await client.connector.syncJobError({ connector_sync_job_id, error });
      }
    }),
  );
  // It stays until it is ended, as those with a queue do.
  setInterval(() => undefined, 60_000);
}
