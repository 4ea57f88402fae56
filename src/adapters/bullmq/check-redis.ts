import type { Redis } from 'ioredis';
import { isOlderThan, NEEDED_EVICTION_POLICY, OLDEST_REDIS } from '../../pipeline/redis-needs.ts';

/** This Redis would lose reports or cannot run the queue; waiting does not change it. */
export class RedisUnsuitable extends Error {
  override readonly name = 'RedisUnsuitable';
}

/** What a Redis says of itself, as far as it matters here. */
export interface RedisFacts {
  /** For instance `7.0.15`. */
  readonly version: string;
  /** What it does when its memory is full. */
  readonly evictionPolicy: string | undefined;
  /** Whether it still reads its data from disk, and takes nothing. */
  readonly isLoading: boolean;
}

/**
 * Asks Redis what it is.
 *
 * @throws {RedisUnsuitable} where it is older than 6.2, or evicts keys when its memory is full: an evicted
 * key is a lost report, silently
 */
export async function checkRedis(redis: Redis): Promise<RedisFacts> {
  const facts = factsOf(parseInfo(await redis.info()));
  if (isOlderThan(facts.version, OLDEST_REDIS)) {
    throw new RedisUnsuitable(`Redis ${OLDEST_REDIS} or newer is needed; this one is ${facts.version}.`);
  }
  // Managed services may hide the policy; what cannot be seen is not held against them.
  if (facts.evictionPolicy !== undefined && facts.evictionPolicy !== NEEDED_EVICTION_POLICY) {
    throw new RedisUnsuitable(
      `Redis drops keys when its memory is full (maxmemory-policy is ${facts.evictionPolicy}), which would lose ` +
        'reports without a trace. Set it to noeviction: `redis-cli config set maxmemory-policy noeviction`, and ' +
        'in redis.conf or your provider’s parameter group.',
    );
  }
  return facts;
}

/** The fields of Redis' own account of itself, by name. */
export type RedisInfo = ReadonlyMap<string, string>;

/** Reads the answer to INFO: one `name:value` a line. */
export function parseInfo(info: string): RedisInfo {
  return new Map(
    info.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
}

function factsOf(info: RedisInfo): RedisFacts {
  return {
    version: info.get('redis_version') ?? '0',
    evictionPolicy: info.get('maxmemory_policy'),
    isLoading: info.get('loading') === '1',
  };
}
