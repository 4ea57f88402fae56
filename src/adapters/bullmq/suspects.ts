import type { Redis } from 'ioredis';
import type { Suspects } from '../../pipeline/settle-job.ts';
import type { QueueNames } from './names.ts';
import { countOf } from './queued-job.ts';

/** A field of our own in the job's hash, so that it goes when the job goes. */
const TRIALS = 'relay:trials';

/** BullMQ's count of how often the job's worker died. */
const STALLED_COUNTER = 'stc';

/**
 * Both scripts touch a job only where it is still there. A worker that lost its lock may ask for a job that
 * another has settled meanwhile, and a hash made anew would look like a report that is on its way.
 */
const NOTE_TRIAL = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local trials = tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0
return redis.call('HSET', KEYS[1], ARGV[1], math.max(trials, 0) + 1)`;

const CLEAR = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HSET', KEYS[1], ARGV[1], 0, ARGV[2], 0)`;

/** Keeps count of suspects in their own jobs. */
export function suspectsOf(redis: Redis, names: QueueNames): Suspects {
  const keyOf = (jobId: string): string => `${names.prefix}:${names.queue}:${jobId}`;
  return {
    trials: async (jobId) => countOf(Number(await redis.hget(keyOf(jobId), TRIALS))),
    async noteTrial(jobId) {
      await redis.eval(NOTE_TRIAL, 1, keyOf(jobId), TRIALS);
    },
    async clear(jobId) {
      await redis.eval(CLEAR, 1, keyOf(jobId), TRIALS, STALLED_COUNTER);
    },
  };
}
