/** The queue as it lies in Redis, read without anything of the relay's. */
import type { Redis } from 'ioredis';

const QUEUE = 'reports';

/** Jobs that wait for anything: their turn, their lock's end, their time, or a person who resumes the queue. */
export async function queueDepth(redis: Redis, prefix: string): Promise<number> {
  const key = (name: string): string => `${prefix}:${QUEUE}:${name}`;
  const sizes = await Promise.all([
    ...['wait', 'paused', 'active'].map((name) => redis.llen(key(name))),
    ...['delayed', 'prioritized', 'failed', 'completed'].map((name) => redis.zcard(key(name))),
  ]);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * The reports that a process has in hand, those included for which it has not asked anything yet. A lock names its
 * holder; which process that is shows by the reports it is known to be asking about.
 */
export async function reportsInHand(
  redis: Redis,
  prefix: string,
  knownReports: ReadonlySet<string>,
): Promise<string[]> {
  const jobs = await redis.lrange(`${prefix}:${QUEUE}:active`, 0, -1);
  if (jobs.length === 0) return [];
  const locks = await redis.mget(jobs.map((id) => `${prefix}:${QUEUE}:${id}:lock`));
  const reports = await Promise.all(jobs.map((id) => reportsIn(redis, prefix, id)));
  const holderOf = (index: number): string | undefined => locks[index]?.split(':')[0];
  const isKnown = (index: number): boolean => reports[index]?.some((id) => knownReports.has(id)) === true;
  const holders = new Set(jobs.flatMap((_, index) => (isKnown(index) ? [holderOf(index)] : [])));
  return jobs.flatMap((_, index) => {
    const isHeld = locks[index] !== null && (isKnown(index) || holders.has(holderOf(index)));
    return isHeld ? (reports[index] ?? []) : [];
  });
}

/** A job is one report, or a bundle that lists those in it; which of these it still has is noted apart. */
async function reportsIn(redis: Redis, prefix: string, jobId: string): Promise<readonly string[]> {
  if (!jobId.startsWith('b-')) return [jobId];
  const data = await redis.hget(`${prefix}:${QUEUE}:${jobId}`, 'data');
  if (data === null) return [];
  const { reports } = JSON.parse(data) as { readonly reports: readonly (readonly [id: string])[] };
  const ids = reports.map(([id]) => id);
  const owners = await redis.hmget(`${prefix}:bundled:${QUEUE}`, ...ids);
  return ids.filter((_, index) => owners[index] === jobId);
}

/** The reports that are noted to be in some bundle, whether that is still there or not. */
export async function bundledReports(redis: Redis, prefix: string): Promise<string[]> {
  return redis.hkeys(`${prefix}:bundled:${QUEUE}`);
}

/** Every key there is, in pages. */
export async function* allKeys(redis: Redis): AsyncGenerator<string[]> {
  for await (const page of redis.scanStream({ count: 1_000 })) yield page as string[];
}

/** The id of the job whose hash this is, or undefined for any other key. */
export function jobIdOf(key: string, prefix: string): string | undefined {
  const start = `${prefix}:${QUEUE}:`;
  if (!key.startsWith(start)) return undefined;
  const id = key.slice(start.length);
  return /^r-[\w-]+$/.test(id) ? id : undefined;
}

/** Everything a key holds, as one text. */
export async function textOf(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'string':
      return (await redis.get(key)) ?? '';
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, '0', '-1'));
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    default:
      return '';
  }
}
