import { Job, type JobsOptions, Queue, type RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import type { IdentifiedReport, JobQueue, QueueDepth } from '../../pipeline/ports.ts';
import type { RedisUnavailable } from './connect-redis.ts';
import { isRefusal, unavailable } from './describe-fault.ts';
import type { ConfirmOnDisk } from './durability.ts';
import { type QueueNames, REPORT_JOB_NAME } from './names.ts';
import { pauseQueue, readPauseNote, resumeQueue } from './pause.ts';
import { timeOf } from './queued-job.ts';

/** The queue as producers and the CLI see it. */
export interface ReportQueue extends JobQueue {
  /** Lets go of the queue; the connection stays its owner's. */
  close(): Promise<void>;
}

/** BullMQ trims its event stream to about this many entries; nothing of ours reads it. */
export const MAX_EVENTS = 1_000;

export interface QueueOptions {
  /** What reports wait for before they count as accepted; absent, Redis' memory is enough. */
  readonly confirmOnDisk?: ConfirmOnDisk | undefined;
  /** Whether reports go before those that wait; otherwise behind them. */
  readonly freshFirst?: boolean;
}

/** Opens the queue over a connection that its owner closes. */
export function openReportQueue(redis: Redis, names: QueueNames, options: QueueOptions = {}): ReportQueue {
  const { confirmOnDisk, freshFirst = false } = options;
  let opening: Promise<Queue> | undefined;

  /**
   * BullMQ remembers for ever that Redis was away when its queue was opened, and fails every call from then on: it
   * is opened when Redis answers, and opened again where that went wrong all the same.
   */
  function opened(): Promise<Queue> {
    opening ??= openQueue(redis, names).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  }

  return {
    async add(reports) {
      try {
        const added = await addReports(await opened(), reports, freshFirst);
        await confirmOnDisk?.();
        return added;
      } catch (cause) {
        throw describeFailure(redis, cause, reports.length);
      }
    },
    depth: async () => readDepth(await opened(), redis, names),
    pause: async (note) => pauseQueue(await opened(), redis, names, note),
    resume: async () => resumeQueue(await opened(), redis, names),
    close: async () => {
      await opening?.then((queue) => queue.close()).catch(() => undefined);
    },
  };
}

async function openQueue(redis: Redis, names: QueueNames): Promise<Queue> {
  await redis.ping();
  const queue = new Queue(names.queue, {
    connection: redis,
    prefix: names.prefix,
    streams: { events: { maxLen: MAX_EVENTS } },
    // A producer must be told soon that Redis is away.
    skipWaitingForReady: true,
    // Version and eviction policy are ours to judge; BullMQ would write to the console.
    skipVersionCheck: true,
  });
  // The connection's owner hears of its faults already.
  queue.on('error', () => undefined);
  try {
    await queue.waitUntilReady();
    return queue;
  } catch (error) {
    await queue.close().catch(() => undefined);
    throw error;
  }
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
  freshFirst: boolean,
): Promise<readonly ('queued' | 'duplicate')[]> {
  const backend = queue.getBackend() as RedisQueueBackend;
  const client = await backend.client;
  const transaction = client.multi();
  for (const { id, report, enqueuedAtMs, trace } of reports) {
    const opts: JobsOptions = {
      jobId: id,
      ...(freshFirst ? { lifo: true } : {}),
      ...(trace === undefined ? {} : { telemetry: { metadata: trace } }),
    };
    const job = new Job(queue, REPORT_JOB_NAME, report, opts, id);
    job.timestamp = enqueuedAtMs;
    transaction.runCommand('exists', [queue.toKey(id)]);
    await backend.addJobToTransaction(transaction, job.asJSON(), id);
  }
  return readReplies((await transaction.exec()) as TransactionReply[] | null, reports.length);
}

/** Redis ran out of memory within a transaction: what stands before stays. */
class PartlyAdded extends Error {
  readonly added: number;

  constructor(added: number, cause: Error) {
    super('a part was added', { cause });
    this.added = added;
  }
}

function describeFailure(redis: Redis, failure: unknown, count: number): RedisUnavailable {
  const harmless = 'repeating the call is harmless';
  if (failure instanceof PartlyAdded) {
    const { cause, added } = failure;
    return unavailable(
      redis,
      cause,
      `; ${added} of these ${count} reports were accepted; ${harmless}`,
      added,
    );
  }
  const were = count === 1 ? 'the report was' : `these ${count} reports were`;
  const fate = isRefusedWhole(failure) ? `${were} not accepted` : `whether ${were} accepted is unknown`;
  return unavailable(redis, failure, `; ${fate}; ${harmless}`);
}

/** Where only MULTI itself is refused, the commands of the transaction are carried out one by one. */
function isRefusedWhole(failure: unknown): boolean {
  return isRefusal(failure) && !(failure as Error).message.includes('EXEC without MULTI');
}

type TransactionReply = readonly [error: Error | null, value: unknown];

/** Two replies a report: whether it existed, and its addition. */
function readReplies(replies: readonly TransactionReply[] | null, count: number): ('queued' | 'duplicate')[] {
  if (replies === null || replies.length !== count * 2) throw new Error('it dropped the transaction');
  const failed = replies.find(([error]) => error !== null);
  if (failed?.[0]) {
    const added = replies.filter(([error], index) => index % 2 === 1 && error === null).length;
    throw added === 0 ? failed[0] : new PartlyAdded(added, failed[0]);
  }
  return Array.from({ length: count }, (_, index) =>
    replies[index * 2]?.[1] === 1 ? 'duplicate' : 'queued',
  );
}

/**
 * How long a job has waited. Read raw, because BullMQ's own getter parses the payload, which may be anything;
 * as may the time, and what lies under the key. What tells no time counts as accepted now.
 */
async function readAgeMs(redis: Redis, key: string): Promise<number> {
  const since = await redis.hget(key, 'timestamp').catch((error: unknown) => {
    if (error instanceof Error && error.message.includes('WRONGTYPE')) return null;
    throw error;
  });
  return Math.max(0, Date.now() - timeOf(Number(since)));
}

async function readDepth(queue: Queue, redis: Redis, names: QueueNames): Promise<QueueDepth> {
  const [counts, paused, note, oldestId] = await Promise.all([
    queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed'),
    queue.isPaused(),
    readPauseNote(redis, names),
    redis.lindex(queue.toKey('wait'), -1),
  ]);
  return {
    waiting: (counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0),
    active: counts['active'] ?? 0,
    delayed: counts['delayed'] ?? 0,
    oldestWaitingMs: oldestId === null ? 0 : await readAgeMs(redis, queue.toKey(oldestId)),
    paused,
    ...(paused && note !== undefined ? { pause: note } : {}),
  };
}
