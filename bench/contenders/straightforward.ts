/** BullMQ and the official client, put together as the documentation of each shows. */
import { Client } from '@elastic/elasticsearch';
import { Worker } from 'bullmq';
import type { ErrorReport } from '../../src/index.ts';
import { fillQueue, QUEUE } from './bullmq-producer.ts';
import type { Contender } from './contender.ts';
import { readWork, workCommand } from './work.ts';

export const straightforward: Contender = {
  name: 'straightforward',
  title: 'the straightforward worker (BullMQ, official client)',
  isTuned: true,
  fill: ({ redisUrl }, from, count) => fillQueue(redisUrl, from, count),
  command: (work) => workCommand(import.meta.filename, work),
};

if (import.meta.main) {
  const { redisUrl, elasticsearchUrl, concurrency } = readWork();
  const client = new Client({ node: elasticsearchUrl });
  const worker = new Worker<ErrorReport>(
    QUEUE,
    async ({ data: { connector_sync_job_id, error } }) => {
      await client.connector.syncJobError({ connector_sync_job_id, error });
    },
    { connection: { url: redisUrl }, concurrency },
  );
  worker.on('failed', (_job, error) => console.error(error.message));
}
