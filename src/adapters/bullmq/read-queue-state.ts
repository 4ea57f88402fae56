import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueueState } from '../../pipeline/diagnose-queue.ts';
import { isRefusal } from './describe-fault.ts';
import type { QueueNames } from './names.ts';
import { openReportQueue } from './report-queue.ts';

/**
 * How the queue stands and who works on it.
 *
 * @throws {Error} where Redis does not answer
 */
export async function readQueueState(redis: Redis, names: QueueNames): Promise<QueueState> {
  const reports = openReportQueue(redis, names);
  const queue = new Queue(names.queue, {
    connection: redis,
    prefix: names.prefix,
    skipWaitingForReady: true,
    // Version and eviction policy are ours to judge; BullMQ would write to the console.
    skipVersionCheck: true,
  });
  queue.on('error', () => undefined);
  try {
    const [depth, failedJobs, workers] = await Promise.all([
      reports.depth(),
      queue.getFailedCount(),
      workersOf(queue),
    ]);
    return { depth, failedJobs, workers };
  } finally {
    await reports.close();
    await queue.close().catch(() => undefined);
  }
}

/** The names that workers give their connections; undefined where Redis keeps its clients to itself. */
async function workersOf(queue: Queue): Promise<readonly string[] | undefined> {
  try {
    const clients = await queue.getWorkers();
    if (clients.some(({ rawname }) => rawname === undefined)) return undefined;
    return clients.map(({ rawname }) => /:w:(.*)$/.exec(rawname ?? '')?.[1] ?? 'unnamed').sort();
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}
