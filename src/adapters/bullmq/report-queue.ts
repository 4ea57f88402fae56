import { Job, type JobsOptions, Queue, type RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import type { IdentifiedReport, JobQueue, QueueDepth } from '../../pipeline/ports.ts';
import { RedisUnavailable } from './connect-redis.ts';
import { type QueueNames, REPORT_JOB_NAME } from './names.ts';

/** The queue as producers and the CLI see it. */
export interface ReportQueue extends JobQueue {
  /** Lets go of the queue; the connection stays its owner's. */
  close(): Promise<void>;
}

/** BullMQ trims its event stream to about this many entries; nothing of ours reads it. */
export const MAX_EVENTS = 1_000;

/** Opens the queue over a connection that its owner closes. */
export function openReportQueue(redis: Redis, names: QueueNames): ReportQueue {
  const queue = new Queue(names.queue, {
    connection: redis,
    prefix: names.prefix,
    streams: { events: { maxLen: MAX_EVENTS } },
    // A producer must be told soon that Redis is away, also when it never was there.
    skipWaitingForReady: true,
  });
  // The connection's owner hears of its faults already.
  queue.on('error', () => undefined);

  return {
    add: (reports) => addReports(queue, reports),
    depth: () => readDepth(queue, redis),
    close: () => queue.close().catch(() => undefined),
  };
}

/**
 * Adds reports in one transaction that asks, before each, whether its job exists.
 *
 * BullMQ alone cannot tell a producer whether an id was there before: it answers as if the job had been
 * added. Inside a transaction the question and the addition cannot be separated, so that of any number of
 * producers with the same report exactly one is told that it is new.
 */
async function addReports(
  queue: Queue,
  reports: readonly IdentifiedReport[],
): Promise<readonly ('queued' | 'duplicate')[]> {
  const backend = queue.getBackend() as RedisQueueBackend;
  try {
    const client = await backend.client;
    const transaction = client.multi();
    for (const { id, report, enqueuedAtMs } of reports) {
      const opts: JobsOptions = { jobId: id };
      const job = new Job(queue, REPORT_JOB_NAME, report, opts, id);
      job.timestamp = enqueuedAtMs;
      transaction.runCommand('exists', [queue.toKey(id)]);
      await backend.addJobToTransaction(transaction, job.asJSON(), id);
    }
    return readReplies((await transaction.exec()) as TransactionReply[] | null, reports.length);
  } catch (cause) {
    throw new RedisUnavailable(
      `${reports.length} reports could not be handed to Redis (${messageOf(cause)}); repeating the call is harmless`,
      { cause },
    );
  }
}

type TransactionReply = readonly [error: Error | null, value: unknown];

/** Two replies a report: whether it existed, and its addition. */
function readReplies(replies: readonly TransactionReply[] | null, count: number): ('queued' | 'duplicate')[] {
  if (replies === null || replies.length !== count * 2) throw new Error('Redis dropped the transaction');
  const failed = replies.find(([error]) => error !== null);
  if (failed?.[0]) throw failed[0];
  return Array.from({ length: count }, (_, index) =>
    replies[index * 2]?.[1] === 1 ? 'duplicate' : 'queued',
  );
}

async function readDepth(queue: Queue, redis: Redis): Promise<QueueDepth> {
  const [counts, paused, oldestId] = await Promise.all([
    queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed'),
    queue.isPaused(),
    redis.lindex(queue.toKey('wait'), -1),
  ]);
  // Read raw: BullMQ's own getter parses the payload, which may be anything.
  const since = oldestId === null ? null : await redis.hget(queue.toKey(oldestId), 'timestamp');
  return {
    waiting: (counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0),
    active: counts['active'] ?? 0,
    delayed: counts['delayed'] ?? 0,
    oldestWaitingMs: since === null ? 0 : Math.max(0, Date.now() - Number(since)),
    paused,
  };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
