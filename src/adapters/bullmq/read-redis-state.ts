import type { Redis } from 'ioredis';
import type { RedisState } from '../../pipeline/diagnose-redis.ts';
import { parseInfo, RedisUnsuitable } from './check-redis.ts';
import { addressOf } from './describe-fault.ts';
import { appendFsync, checkDurability } from './durability.ts';

/** Enough that one slow answer does not count. */
const ROUND_TRIPS = 5;

/**
 * Asks Redis for all that an operator wants to know of it; changes nothing.
 *
 * @param fsyncTimeoutMs how long producers wait, where they wait for the disk
 * @throws {Error} where it does not answer
 */
export async function readRedisState(redis: Redis, fsyncTimeoutMs: number | undefined): Promise<RedisState> {
  const info = parseInfo(await redis.info());
  const latencyMs = await medianRoundTrip(redis);
  const version = info.get('redis_version') ?? '0';
  return {
    address: addressOf(redis),
    version,
    isReplica: info.get('role') === 'slave',
    isLoading: info.get('loading') === '1',
    evictionPolicy: info.get('maxmemory_policy'),
    usedMemoryBytes: Number(info.get('used_memory') ?? 0),
    maxMemoryBytes: Number(info.get('maxmemory') ?? 0),
    isAppendOnly: info.get('aof_enabled') === '1',
    appendFsync: await appendFsync(redis),
    hasAppendFailed: isBad(info.get('aof_last_write_status')),
    hasSnapshotFailed: isBad(info.get('rdb_last_bgsave_status')),
    latencyMs,
    clockAheadMs: await clockAhead(redis),
    durabilityProblem:
      fsyncTimeoutMs === undefined ? undefined : await durabilityProblem(redis, version, fsyncTimeoutMs),
  };
}

const isBad = (status: string | undefined): boolean => status !== undefined && status !== 'ok';

async function medianRoundTrip(redis: Redis): Promise<number> {
  const times: number[] = [];
  for (let trip = 0; trip < ROUND_TRIPS; trip++) {
    const sentAt = performance.now();
    await redis.ping();
    times.push(performance.now() - sentAt);
  }
  return times.sort((a, b) => a - b)[Math.floor(ROUND_TRIPS / 2)] ?? 0;
}

/** Redis' time against the middle of the round trip that it was asked in. */
async function clockAhead(redis: Redis): Promise<number> {
  const sentAtMs = Date.now();
  const [seconds, micros] = await redis.time();
  const middleMs = (sentAtMs + Date.now()) / 2;
  return Number(seconds) * 1_000 + Number(micros) / 1_000 - middleMs;
}

async function durabilityProblem(
  redis: Redis,
  version: string,
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    await checkDurability(redis, { version }, timeoutMs);
    return undefined;
  } catch (error) {
    if (error instanceof RedisUnsuitable) return error.message;
    throw error;
  }
}
