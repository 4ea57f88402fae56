import type { Redis } from 'ioredis';
import { type RedisFacts, RedisUnsuitable } from './check-redis.ts';
import { isRefusal } from './describe-fault.ts';

/** When a report counts as accepted: once Redis has it in memory, or once it is in its append-only file on disk. */
export type Durability = 'memory' | 'fsync';

/** Resolves when everything that this connection has written is on Redis' disk. */
export type ConfirmOnDisk = () => Promise<void>;

/** Redis has not said in time that what it was given is on its disk; whether it is, is unknown. */
export class NotOnDisk extends Error {
  override readonly name = 'NotOnDisk';
}

/** With `appendfsync everysec` Redis writes to its disk within two seconds, and then has to say so. */
const EVERYSEC_TIMEOUT_MS = 2_500;

/**
 * Makes sure that Redis can say when a write is on disk, by asking it to.
 *
 * @param timeoutMs how long producers wait for an answer
 * @throws {RedisUnsuitable} where it cannot, or not in that time, with what to do
 */
export async function checkDurability(
  redis: Redis,
  { version }: Pick<RedisFacts, 'version'>,
  timeoutMs: number,
): Promise<void> {
  try {
    await redis.call('WAITAOF', 1, 0, 1);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new RedisUnsuitable(reasonOf((error as Error).message, version), { cause: error });
  }
  const policy = await appendFsync(redis);
  if (policy === 'no') {
    throw new RedisUnsuitable(
      'DURABILITY=fsync needs a Redis that writes to its disk by itself; with appendfsync no it leaves that to ' +
        'the operating system. Set it to everysec or always: `redis-cli config set appendfsync always`.',
    );
  }
  if (policy === 'everysec' && timeoutMs < EVERYSEC_TIMEOUT_MS) {
    throw new RedisUnsuitable(
      `With appendfsync everysec Redis takes up to 2 s until a report is on disk, and ENQUEUE_TIMEOUT_MS is ` +
        `${timeoutMs}. Set it to ${EVERYSEC_TIMEOUT_MS} or more, or appendfsync to always.`,
    );
  }
}

function reasonOf(refusal: string, version: string): string {
  const needs = 'DURABILITY=fsync needs';
  if (/unknown command/i.test(refusal)) {
    return `${needs} Redis 7.2 or newer, which has WAITAOF; this one is ${version}. Set it to memory, or update Redis.`;
  }
  if (/appendonly/i.test(refusal)) {
    return `${needs} the append-only file, which is off. Set it on: \`redis-cli config set appendonly yes\`, and in redis.conf.`;
  }
  if (/replica/i.test(refusal)) return `${needs} a primary; this Redis is a replica.`;
  return `${needs} WAITAOF, which this Redis (${version}) refuses: ${refusal}`;
}

/** When the append-only file goes to disk; undefined where a managed service hides it, which is not held against it. */
export async function appendFsync(redis: Redis): Promise<string | undefined> {
  try {
    const [, value] = (await redis.config('GET', 'appendfsync')) as readonly string[];
    return value;
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/**
 * Makes what asks Redis whether all writes so far are on disk.
 *
 * WAITAOF holds up its connection until the next write to disk, so that one question at a time serves everybody
 * who has come meanwhile: asked one by one, ten reports would take ten such writes.
 */
export function onDiskConfirmer(redis: Redis, timeoutMs: number): ConfirmOnDisk {
  // Redis has to answer before the client gives up on it.
  const waitMs = Math.max(1, Math.floor(timeoutMs * 0.8));
  let underWay: Promise<number> = Promise.resolve(0);
  let next: Promise<number> | undefined;

  async function ask(): Promise<number> {
    try {
      const [local] = (await redis.call('WAITAOF', 1, 0, waitMs)) as readonly [
        local: number,
        replicas: number,
      ];
      return local;
    } catch (cause) {
      // A refusal of the question is none of the reports, which are in Redis' memory by now.
      if (!isRefusal(cause)) throw cause;
      throw new NotOnDisk(`cannot say whether it has written to its disk: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** A question that has left already says nothing of what was written since. */
  function askNext(): Promise<number> {
    next ??= underWay
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        underWay = ask();
        return underWay;
      });
    return next;
  }

  return async () => {
    const { stream } = redis;
    const confirmed = await askNext();
    // On another connection nothing was written yet, which Redis confirms at once, even if it has just lost all.
    if (redis.stream !== stream)
      throw new NotOnDisk('ended the connection before it had written to its disk');
    if (confirmed < 1) throw new NotOnDisk(`has not written to its disk within ${waitMs} ms`);
  };
}
