import type { Redis } from 'ioredis';
import type { FoundJob } from '../../pipeline/locate-report.ts';
import { bundleKeys } from './bundle-scripts.ts';
import type { QueueNames } from './names.ts';
import { countOf, historyOf, timeOf } from './queued-job.ts';

/**
 * Finds out how a report stands that has a job, or is in a bundle; undefined where there is neither.
 *
 * A report may leave its bundle between the two questions: it is a job of its own then, and is asked for once more.
 */
export async function findJob(redis: Redis, names: QueueNames, id: string): Promise<FoundJob | undefined> {
  const alone = await readJob(redis, names, id);
  if (alone !== undefined) return alone;
  const bundle = await redis.hget(bundleKeys(names).bundled, id);
  if (bundle === null) return await readJob(redis, names, id);
  return (await readJob(redis, names, bundle)) ?? (await readJob(redis, names, id));
}

/**
 * Reads how a job stands, in one transaction, or undefined where there is none.
 *
 * What is in none of the sets waits: looking through the list of those that wait would cost more the more
 * there are.
 */
async function readJob(redis: Redis, names: QueueNames, id: string): Promise<FoundJob | undefined> {
  const key = (name: string): string => `${names.prefix}:${names.queue}:${name}`;
  const replies = await redis
    .multi()
    .hmget(key(id), 'timestamp', 'atm', 'progress')
    .zscore(key('delayed'), id)
    .zscore(key('failed'), id)
    .lpos(key('active'), id)
    .exec();
  const [fields, delayed, failed, active] = (replies ?? []).map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
  const [timestamp, attemptsMade, progress] = (fields ?? []) as (string | null)[];
  if (timestamp === null || timestamp === undefined) return undefined;
  const lastCode = historyOf(parse(progress)).attempts.at(-1)?.code;
  return {
    state: stateOf(delayed, failed, active),
    enqueuedAtMs: timeOf(Number(timestamp)),
    attemptsMade: countOf(Number(attemptsMade)),
    ...(lastCode === undefined ? {} : { lastCode }),
    // BullMQ keeps the time in the score's upper bits, above a counter of twelve.
    ...(typeof delayed === 'string' ? { dueAtMs: Math.floor(Number(delayed) / 4_096) } : {}),
  };
}

function stateOf(delayed: unknown, failed: unknown, active: unknown): FoundJob['state'] {
  if (typeof delayed === 'string') return 'delayed';
  if (typeof failed === 'string') return 'failed';
  return typeof active === 'number' ? 'active' : 'waiting';
}

function parse(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null') as unknown;
  } catch {
    return undefined;
  }
}
