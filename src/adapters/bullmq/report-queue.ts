import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { bundlesOf } from '../../domain/bundle.ts';
import type { IdentifiedReport, JobQueue, QueueDepth } from '../../pipeline/ports.ts';
import { addJobs, type NewJob, namesOf, type Reply } from './add-jobs.ts';
import { BEGIN_ADD, bundleKeys, COUNT, END_ADD } from './bundle-scripts.ts';
import type { RedisUnavailable } from './connect-redis.ts';
import { isRefusal, unavailable } from './describe-fault.ts';
import type { ConfirmOnDisk } from './durability.ts';
import type { QueueNames } from './names.ts';
import { pauseQueue, readPauseNote, resumeQueue } from './pause.ts';
import { timeOf } from './queued-job.ts';
import { runScript } from './run-script.ts';

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
   * Calls leave in their order, whichever takes longer to put together: of two reports for one sync job the first
   * one counts.
   */
  let sent: Promise<void> = Promise.resolve();

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
      const before = sent;
      const mine = Promise.withResolvers<void>();
      sent = mine.promise;
      try {
        const queue = await opened();
        await before;
        const added = await addReports(queue, names, reports, freshFirst, mine.resolve);
        await confirmOnDisk?.();
        return added;
      } catch (cause) {
        throw describeFailure(redis, cause, reports.length);
      } finally {
        mine.resolve();
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
 * Adds reports in one transaction that asks, before anything is added, which of them are on their way.
 *
 * BullMQ alone cannot tell a producer whether an id was there before: it answers as if the job had been
 * added. Inside a transaction the question and the addition cannot be separated, so that of any number of
 * producers with the same report exactly one is told that it is new.
 */
async function addReports(
  queue: Queue,
  names: QueueNames,
  reports: readonly IdentifiedReport[],
  freshFirst: boolean,
  onSent: () => void,
): Promise<readonly ('queued' | 'duplicate')[]> {
  const ids = new Set<string>();
  // The first of those that are the same, in its place.
  const distinct = reports.filter(({ id }) => !ids.has(id) && ids.add(id));
  const jobs = toJobs(distinct, freshFirst);
  const args = namesOf(jobs);
  const replies = await addJobs(
    queue,
    bundleKeys(names),
    { script: BEGIN_ADD, args },
    jobs,
    { script: END_ADD, args },
    onSent,
  );
  makeSureAdded(replies, jobs);
  const isKnown = String(replies[0]?.[1]);
  const isNew = new Set(distinct.filter((_report, index) => isKnown[index] === '0').map(({ id }) => id));
  // The same report twice in one call is new once.
  return reports.map(({ id }) => (isNew.delete(id) ? 'queued' : 'duplicate'));
}

/** A report alone is a job, several become bundles. */
function toJobs(reports: readonly IdentifiedReport[], freshFirst: boolean): readonly NewJob[] {
  const options = freshFirst ? { lifo: true } : {};
  return bundlesOf(reports, ({ report }) => Buffer.byteLength(report.error)).map((group) => ({
    id: group.length === 1 && group[0] !== undefined ? group[0].id : bundleId(),
    reports: group,
    options,
  }));
}

/** An id that no bundle had before, so that a bundle that ends cannot be taken for one that begins. */
function bundleId(): string {
  return `b-${randomBytes(9).toString('base64url')}`;
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

/** @throws {Error} where any part of the transaction went wrong */
function makeSureAdded(replies: readonly Reply[], jobs: readonly NewJob[]): void {
  const failure = replies.find(([error]) => error !== null)?.[0];
  if (!failure) return;
  const added = jobs.reduce(
    (sum, { reports }, index) => sum + (replies[index + 1]?.[0] === null ? reports.length : 0),
    0,
  );
  throw added === 0 ? failure : new PartlyAdded(added, failure);
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
  const [counts, inBundles, paused, note, oldestId] = await Promise.all([
    queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed'),
    countInBundles(redis, names),
    queue.isPaused(),
    readPauseNote(redis, names),
    redis.lindex(queue.toKey('wait'), -1),
  ]);
  const { waiting, active } = inBundles;
  return {
    // The counts are not of one moment.
    waiting: Math.max(0, (counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0) + waiting),
    active: Math.max(0, (counts['active'] ?? 0) + active),
    delayed: counts['delayed'] ?? 0,
    oldestWaitingMs: oldestId === null ? 0 : await readAgeMs(redis, queue.toKey(oldestId)),
    paused,
    ...(paused && note !== undefined ? { pause: note } : {}),
  };
}

/** How many more reports than jobs there are, because of bundles. */
async function countInBundles(
  redis: Redis,
  names: QueueNames,
): Promise<{ readonly waiting: number; readonly active: number }> {
  const { jobs, bundled, bundles } = bundleKeys(names);
  const [all = 0, inAll = 0, active = 0, inActive = 0] = (await runScript(
    redis,
    COUNT,
    [jobs, bundled, bundles],
    [],
  )) as number[];
  return { waiting: inAll - inActive - (all - active), active: inActive - active };
}
