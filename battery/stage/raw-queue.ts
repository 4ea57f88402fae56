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
 * The jobs that a process has in hand, those included for which it has not asked anything yet. A lock names its
 * holder; which process that is shows by the jobs it is known to be asking about.
 */
export async function jobsInHand(
  redis: Redis,
  prefix: string,
  knownJobs: ReadonlySet<string>,
): Promise<string[]> {
  const active = await redis.lrange(`${prefix}:${QUEUE}:active`, 0, -1);
  if (active.length === 0) return [];
  const locks = await redis.mget(active.map((id) => `${prefix}:${QUEUE}:${id}:lock`));
  const holderOf = (index: number): string | undefined => locks[index]?.split(':')[0];
  const holders = new Set(active.flatMap((id, index) => (knownJobs.has(id) ? [holderOf(index)] : [])));
  return active.filter(
    (id, index) => locks[index] !== null && (knownJobs.has(id) || holders.has(holderOf(index))),
  );
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
