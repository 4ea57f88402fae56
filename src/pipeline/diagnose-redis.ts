import { type Check, failed, ok, warning } from './diagnosis.ts';
import { isOlderThan, NEEDED_EVICTION_POLICY, OLDEST_REDIS } from './redis-needs.ts';

/** What a Redis says of itself, and how it answers. */
export interface RedisState {
  /** Host and port. */
  readonly address: string;
  /** `7.0.15`; Valkey names the Redis it is compatible with. */
  readonly version: string;
  readonly isReplica: boolean;
  readonly isLoading: boolean;
  /** What it does when its memory is full; undefined where it does not say. */
  readonly evictionPolicy: string | undefined;
  readonly usedMemoryBytes: number;
  /** 0: no limit of its own. */
  readonly maxMemoryBytes: number;
  readonly isAppendOnly: boolean;
  /** When its append-only file goes to disk; undefined where it does not say. */
  readonly appendFsync: string | undefined;
  /** Whether its last write to the append-only file failed. */
  readonly hasAppendFailed: boolean;
  /** Whether its last snapshot failed, after which it may refuse writes. */
  readonly hasSnapshotFailed: boolean;
  /** The median of a few round trips. */
  readonly latencyMs: number;
  /** How far its clock is ahead of ours; negative where it is behind. */
  readonly clockAheadMs: number;
  /** Why it cannot say when a report is on disk, where that is asked for; undefined where it can. */
  readonly durabilityProblem?: string | undefined;
}

/** Above it each enqueue is felt, and a worker's throughput falls. */
const SLOW_MS = 50;

/** Delays are reckoned by the clocks of producers and workers; a second is far beyond what NTP leaves. */
const CLOCK_TOLERANCE_MS = 1_000;

/** Beyond it there is little time left to act. */
const NEARLY_FULL = 0.8;

/** Judges what a Redis says of itself. */
export function diagnoseRedis(state: RedisState, isFsyncAsked: boolean): Check[] {
  return [
    judgeRole(state),
    judgeVersion(state),
    judgeEviction(state),
    judgePersistence(state),
    ...(isFsyncAsked ? [judgeDurability(state)] : []),
    judgeMemory(state),
    judgeLatency(state),
    judgeClock(state),
  ];
}

/**
 * The one check there is where Redis cannot be asked.
 *
 * @param isThere whether it answered at all, and only refuses
 */
export function diagnoseUnusableRedis(reason: string, isThere: boolean): Check {
  const advice = isThere
    ? 'It is there, so look at the user and password in REDIS_URL, and at what it says'
    : 'Start it, or set REDIS_URL to where it is';
  return failed('redis', reason, `${advice}; nothing else of it or of the queue could be checked.`);
}

function judgeRole({ address, isReplica, isLoading }: RedisState): Check {
  if (isReplica) {
    return failed('redis', `${address} is a replica and takes no reports`, 'Set REDIS_URL to the primary.');
  }
  if (isLoading) {
    return failed(
      'redis',
      `${address} is still loading its data and takes no reports`,
      'Wait until it is done.',
    );
  }
  return ok('redis', `${address} answers`);
}

function judgeVersion({ version }: RedisState): Check {
  const name = 'redis_version';
  return isOlderThan(version, OLDEST_REDIS)
    ? failed(name, version, `Use Redis ${OLDEST_REDIS} or newer.`)
    : ok(name, version);
}

function judgeEviction({ evictionPolicy }: RedisState): Check {
  const name = 'redis_eviction';
  if (evictionPolicy === undefined) {
    return warning(name, 'not shown', `Make sure that maxmemory-policy is ${NEEDED_EVICTION_POLICY}.`);
  }
  if (evictionPolicy === NEEDED_EVICTION_POLICY) return ok(name, evictionPolicy);
  return failed(
    name,
    `${evictionPolicy}: a full Redis drops reports without a trace`,
    `redis-cli config set maxmemory-policy ${NEEDED_EVICTION_POLICY}, and the same in redis.conf.`,
  );
}

function judgePersistence(state: RedisState): Check {
  const name = 'redis_persistence';
  if (state.isAppendOnly && state.hasAppendFailed) {
    return failed(name, 'its last write to the append-only file failed', 'Look at its disk and its log.');
  }
  if (state.hasSnapshotFailed) {
    return warning(
      name,
      'its last snapshot failed; it may refuse writes',
      'Look at its disk and its log (stop-writes-on-bgsave-error).',
    );
  }
  if (!state.isAppendOnly) {
    return warning(
      name,
      'no append-only file: when it dies, what it was given since its last snapshot is lost',
      'redis-cli config set appendonly yes, and the same in redis.conf.',
    );
  }
  switch (state.appendFsync) {
    case 'always':
      return ok(name, 'append-only file, on disk at once (appendfsync always)');
    case 'everysec':
      return ok(name, 'append-only file, on disk within a second or so (appendfsync everysec)');
    case undefined:
      return ok(name, 'append-only file; how often it goes to disk is not shown');
    default:
      return warning(
        name,
        `append-only file, on disk when the operating system pleases (appendfsync ${state.appendFsync})`,
        'redis-cli config set appendfsync everysec, and the same in redis.conf.',
      );
  }
}

function judgeDurability({ durabilityProblem }: RedisState): Check {
  const name = 'redis_durability';
  return durabilityProblem === undefined
    ? ok(name, 'says when a report is on disk (DURABILITY=fsync)')
    : failed(name, 'DURABILITY=fsync is refused', durabilityProblem);
}

function judgeMemory({ usedMemoryBytes, maxMemoryBytes }: RedisState): Check {
  const name = 'redis_memory';
  const used = `${mebibytes(usedMemoryBytes)} in use`;
  if (maxMemoryBytes === 0) return ok(name, `${used}, no maxmemory set`);
  const share = usedMemoryBytes / maxMemoryBytes;
  const detail = `${used} of ${mebibytes(maxMemoryBytes)} (${Math.floor(share * 100)} %)`;
  const advice = 'Raise maxmemory, or find out why reports are not taken away (see queue and workers).';
  if (share >= 1) return failed(name, `${detail}: it takes no reports`, advice);
  return share >= NEARLY_FULL
    ? warning(name, `${detail}: when it is full it takes no reports`, advice)
    : ok(name, detail);
}

function judgeLatency({ latencyMs }: RedisState): Check {
  const name = 'redis_latency';
  const detail = `${latencyMs.toFixed(1)} ms a round trip`;
  return latencyMs > SLOW_MS
    ? warning(name, detail, 'Bring producers and workers nearer to it, or see whether it is overloaded.')
    : ok(name, detail);
}

function judgeClock({ clockAheadMs, latencyMs }: RedisState): Check {
  const name = 'redis_clock';
  const difference = Math.round(Math.abs(clockAheadMs));
  const detail = `${difference} ms ${clockAheadMs < 0 ? 'behind' : 'ahead of'} this machine`;
  // The answer was under way for an unknown part of the round trip.
  return difference > CLOCK_TOLERANCE_MS + latencyMs
    ? warning(name, detail, 'Keep the clocks together (NTP): delays and ages of reports hang on them.')
    : ok(name, detail);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
