import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Payload, QueuedJob } from '../../pipeline/ports.ts';
import type { FailedJob, FailedJobs } from '../../pipeline/sweep-failed.ts';
import { countOf, historyOf, timeOf } from './queued-job.ts';

/** Jobs read in one call: BullMQ's unpaged getter holds up Redis for seconds on a large set. */
const PAGE_SIZE = 100;

/** BullMQ's own words for a job whose worker died on it too often. */
const STALLED_TOO_OFTEN = 'job stalled more than allowable limit';

/** Only where the job is still there: a hash made anew would look like a report that is on its way. */
const MEND_OPTIONS = `
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'opts', '{}') end`;

/**
 * Reads BullMQ's failed jobs raw: its own getters parse payloads and options, and throw on a page that
 * holds a single broken one.
 */
export function failedJobsOf(queue: Queue, redis: Redis): FailedJobs {
  return {
    async page() {
      const ids = await redis.zrange(queue.toKey('failed'), '0', String(PAGE_SIZE - 1));
      return Promise.all(ids.map(async (id) => toFailedJob(id, await redis.hgetall(queue.toKey(id)))));
    },
    async remove(id) {
      await queue.remove(id);
      // A job without a hash is unknown to BullMQ, but its id would be found again for ever.
      await redis.zrem(queue.toKey('failed'), id);
    },
    async repairUnreadable() {
      const ids = await redis.lrange(queue.toKey('active'), 0, -1);
      const options = await Promise.all(ids.map((id) => redis.hget(queue.toKey(id), 'opts')));
      const unreadable = ids.filter((_, index) => !isReadable(options[index] ?? null));
      await Promise.all(unreadable.map((id) => redis.eval(MEND_OPTIONS, 1, queue.toKey(id))));
      return unreadable;
    },
  };
}

function toFailedJob(id: string, hash: Readonly<Record<string, string>>): FailedJob {
  const reason = hash['failedReason'] ?? 'unknown';
  const job: QueuedJob = {
    id,
    payload: payloadOf(hash['data'] ?? ''),
    attempt: countOf(Number(hash['atm'])) + 1,
    earlierStarts: Math.max(0, countOf(Number(hash['ats'])) - 1),
    enqueuedAtMs: timeOf(Number(hash['timestamp'])),
    history: historyOf(jsonOf(hash['progress'])),
    crashes: countOf(Number(hash['stc'])),
    poisoned: reason === STALLED_TOO_OFTEN,
  };
  return { job, reason };
}

function payloadOf(text: string): Payload {
  const value = jsonOf(text);
  return value === undefined ? { kind: 'text', text } : { kind: 'json', value };
}

/** What the text says, or undefined where it is no JSON. */
function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** BullMQ reads options as a JSON object before anything of ours is asked. */
function isReadable(opts: string | null): boolean {
  if (opts === null || opts === '') return true;
  const value = jsonOf(opts);
  return typeof value === 'object' && value !== null;
}
