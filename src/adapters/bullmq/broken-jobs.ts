import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { BrokenJobs, Mended } from '../../pipeline/sweep-failed.ts';
import { jsonOf } from './json-of.ts';

/** Jobs looked at in one call. */
const PAGE_SIZE = 100;

/**
 * Sets fields of a job that is still there, and leaves out others: a hash made anew would look like a report
 * that is on its way. KEYS: the job. ARGV: how many fields to set, these fields with their values, fields to
 * leave out.
 */
const MEND = `
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local last = 1 + tonumber(ARGV[1]) * 2
for i = 2, last, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = last + 1, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
return 1`;

/**
 * Takes an id that is no job out of the list of jobs under way. KEYS: the list, the key under the id.
 */
const DROP = `
if redis.call('TYPE', KEYS[2]).ok == 'hash' or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
return redis.call('LREM', KEYS[1], 1, ARGV[1])`;

/** Gives a lock that would never expire the time that locks have. KEYS: the lock. ARGV: milliseconds. */
const MEND_LOCK = `
if redis.call('PTTL', KEYS[1]) ~= -1 then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])`;

/**
 * Keeps no more than the beginning of a payload that is too long. KEYS: the job. ARGV: most bytes, bytes to keep.
 * What is left is no JSON, and so no report.
 */
const SHORTEN = `
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local bytes = redis.call('HSTRLEN', KEYS[1], 'data')
if bytes <= tonumber(ARGV[1]) then return 0 end
local start = string.sub(redis.call('HGET', KEYS[1], 'data'), 1, tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'data', start .. '... [' .. (bytes - tonumber(ARGV[2])) .. ' bytes left out]')
return bytes`;

/** What is kept of a payload that is too long, in bytes. */
const KEPT_BYTES = 1_024;

/**
 * Finds jobs that BullMQ itself stumbles over, before anything of ours is asked: it reads options, progress and
 * parent as JSON when it hands a job out, and counts in Lua. Such a job goes round between the jobs under way
 * and the waiting ones for ever. So does one whose payload is so long that each worker dies of fetching it.
 */
export function brokenJobsOf(
  queue: Queue,
  redis: Redis,
  { lockDurationMs, maxPayloadBytes }: BrokenJobsOptions,
): BrokenJobs {
  async function mendJob(id: string): Promise<Mended[]> {
    const key = queue.toKey(id);
    if ((await redis.eval(DROP, 2, queue.toKey('active'), key, id)) === 1) {
      return [{ jobId: id, what: 'not a job; taken off the list' }];
    }
    const mended: Mended[] = [];
    if ((await redis.eval(MEND_LOCK, 1, `${key}:lock`, lockDurationMs)) === 1) {
      mended.push({ jobId: id, what: 'a lock that would not have expired' });
    }
    const longBytes = Number(await redis.eval(SHORTEN, 1, key, maxPayloadBytes, KEPT_BYTES));
    if (longBytes > 0) {
      mended.push({ jobId: id, what: `a payload of ${longBytes} bytes; all but its beginning left out` });
    }
    const broken = brokenFields(await redis.hmget(key, ...FIELDS));
    if (broken.set.length + broken.leaveOut.length > 0) {
      await redis.eval(MEND, 1, key, broken.set.length, ...broken.set.flat(), ...broken.leaveOut);
      mended.push({
        jobId: id,
        what: `unreadable: ${[...broken.set.map(([name]) => name), ...broken.leaveOut].join(', ')}`,
      });
    }
    return mended;
  }

  return {
    async mend() {
      const active = await redis.lrange(queue.toKey('active'), 0, -1);
      const mended: Mended[] = [];
      for (const id of active) mended.push(...(await mendJob(id)));
      // Jobs of ours leave when they are completed: these were completed by another worker, which cannot
      // have applied them. They are taken up again, and reading back tells what is true of them.
      const completed = await redis.zrange(queue.toKey('completed'), '0', String(PAGE_SIZE - 1));
      if (completed.length > 0) await queue.retryJobs({ state: 'completed', count: PAGE_SIZE });
      return [
        ...mended,
        ...completed.map((jobId) => ({ jobId, what: 'completed by a foreign worker; taken up again' })),
      ];
    },
  };
}

/** Bounds of what counts as whole. */
export interface BrokenJobsOptions {
  /** How long a lock lasts without renewal. */
  readonly lockDurationMs: number;
  /** Longest payload that may be a report or a bundle, as it lies in Redis. */
  readonly maxPayloadBytes: number;
}

const FIELDS = ['opts', 'progress', 'parent', 'atm', 'ats', 'stc'] as const;

interface BrokenFields {
  /** Fields to set, with the value that means nothing. */
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly leaveOut: readonly string[];
}

function brokenFields([opts, progress, parent, ...counters]: readonly (string | null)[]): BrokenFields {
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
  const isUnset = (text: string | null | undefined): boolean =>
    text === null || text === undefined || text === '';
  return {
    set: [
      ...(isUnset(opts) || isObject(jsonOf(opts ?? '')) ? [] : [['opts', '{}'] as const]),
      ...(isUnset(progress) || jsonOf(progress ?? '') !== undefined ? [] : [['progress', '0'] as const]),
      ...(['atm', 'ats', 'stc'] as const).flatMap((name, index) =>
        isUnset(counters[index]) || /^-?\d{1,15}$/.test(counters[index] ?? '') ? [] : [[name, '0'] as const],
      ),
    ],
    leaveOut: isUnset(parent) || isObject(jsonOf(parent ?? '')) ? [] : ['parent'],
  };
}
