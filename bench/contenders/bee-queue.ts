/** bee-queue, the leaner of the well-known queues on Redis, and the official client. */
import { Client } from '@elastic/elasticsearch';
import BeeQueue from 'bee-queue';
import type { ErrorReport } from '../../src/index.ts';
import { reportOf } from '../stage/reports.ts';
import type { Contender } from './contender.ts';
import { readWork, workCommand } from './work.ts';

const QUEUE = 'reports';
const JOBS_A_CALL = 500;

export const beeQueue: Contender = {
  name: 'bee',
  title: 'bee-queue and the official client',
  isTuned: true,
  async fill({ redisUrl }, from, count) {
    const queue = new BeeQueue<ErrorReport>(QUEUE, { redis: redisOf(redisUrl), isWorker: false });
    for (let first = from; first < from + count; first += JOBS_A_CALL) {
      const length = Math.min(JOBS_A_CALL, from + count - first);
      const jobs = Array.from({ length }, (_, index) =>
        queue
          .createJob(reportOf(first + index))
          .retries(25)
          .backoff('exponential', 1_000),
      );
      const failed = await queue.saveAll(jobs);
      if (failed.size > 0) throw new Error(`bee-queue refused ${failed.size} jobs`);
    }
    await queue.close();
  },
  command: (work) => workCommand(import.meta.filename, work),
};

if (import.meta.main) {
  const { redisUrl, elasticsearchUrl, concurrency } = readWork();
  const client = new Client({ node: elasticsearchUrl });
  const queue = new BeeQueue<ErrorReport>(QUEUE, {
    redis: redisOf(redisUrl),
    removeOnSuccess: true,
    sendEvents: false,
    getEvents: false,
  });
  queue.on('failed', (_job, error) => console.error(error.message));
  queue.process(concurrency, async ({ data: { connector_sync_job_id, error } }) => {
    await client.connector.syncJobError({ connector_sync_job_id, error });
  });
}

/** Its Redis client is of an older kind and takes no URL within options. */
function redisOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
