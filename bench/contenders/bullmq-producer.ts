import { Queue } from 'bullmq';
import { reportOf } from '../stage/reports.ts';

/** The queue that BullMQ's contenders share. */
export const QUEUE = 'reports';

/** As BullMQ's documentation sets retries and keeps no finished jobs. */
export const JOB_OPTIONS = {
  attempts: 25,
  backoff: { type: 'exponential', delay: 1_000 },
  removeOnComplete: true,
} as const;

/** Reports in one call, and calls under way at once: what the bench's goals name as the fastest way. */
export const BULK = { reports: 500, inFlight: 4 } as const;

/** Adds reports in bulk. @returns milliseconds it took */
export async function addInBulk(queue: Queue, from: number, count: number): Promise<number> {
  const startedAt = performance.now();
  let next = from;
  const end = from + count;
  await Promise.all(
    Array.from({ length: BULK.inFlight }, async () => {
      while (next < end) {
        const first = next;
        next = Math.min(end, first + BULK.reports);
        await queue.addBulk(
          Array.from({ length: next - first }, (_, index) => ({
            name: 'report',
            data: reportOf(first + index),
            opts: JOB_OPTIONS,
          })),
        );
      }
    }),
  );
  return performance.now() - startedAt;
}

/** A queue on this Redis. */
export function openQueue(redisUrl: string): Queue {
  return new Queue(QUEUE, { connection: { url: redisUrl } });
}

/** Fills the queue that BullMQ's contenders work on. */
export async function fillQueue(redisUrl: string, from: number, count: number): Promise<void> {
  const queue = openQueue(redisUrl);
  await addInBulk(queue, from, count);
  await queue.close();
}
