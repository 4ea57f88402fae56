import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { readBundle } from '../../domain/bundle.ts';
import type { Payload, QueuedJob } from '../../pipeline/ports.ts';
import type { FailedJob, FailedJobs } from '../../pipeline/sweep-failed.ts';
import { bundleKeys } from './bundle-scripts.ts';
import { jsonOf } from './json-of.ts';
import { BUNDLE_JOB_NAME } from './names.ts';
import { countOf, historyOf, timeOf } from './queued-job.ts';

/** Jobs read in one call: BullMQ's unpaged getter holds up Redis for seconds on a large set. */
const PAGE_SIZE = 100;

/** BullMQ's own words for a job whose worker died on it too often. */
const STALLED_TOO_OFTEN = 'job stalled more than allowable limit';

/**
 * Reads BullMQ's failed jobs raw: its own getters parse payloads and options, and throw on a page that
 * holds a single broken one.
 */
export function failedJobsOf(queue: Queue, redis: Redis): FailedJobs {
  const { account } = bundleKeys({ prefix: queue.opts.prefix ?? '', queue: queue.name });
  return {
    async page(skip) {
      const ids = await redis.zrange(queue.toKey('failed'), String(skip), String(skip + PAGE_SIZE - 1));
      return Promise.all(ids.map(async (id) => toFailedJob(id, await readHash(redis, queue.toKey(id)))));
    },
    async remove(id) {
      const removed = await queue.remove(id).catch(ifNoJob);
      if (removed === 1) await redis.hincrby(account, 'swept', 1);
      // A job without a hash is unknown to BullMQ, but its id would be found again for ever.
      await redis.zrem(queue.toKey('failed'), id);
    },
  };
}

type Hash = Readonly<Record<string, string>>;

/** What is there under a job's key, or nothing where it is no hash: somebody else's key is not ours to read. */
async function readHash(redis: Redis, key: string): Promise<Hash> {
  return redis.hgetall(key).catch((error: unknown) => {
    ifNoJob(error);
    return {};
  });
}

function ifNoJob(error: unknown): void {
  if (!(error instanceof Error && error.message.includes('WRONGTYPE'))) throw error;
}

function toFailedJob(id: string, hash: Hash): FailedJob {
  const reason = hash['failedReason'] ?? 'unknown';
  const job: QueuedJob = {
    id,
    payload: payloadOf(hash['data'] ?? ''),
    attempt: countOf(Number(hash['atm'])) + 1,
    earlierStarts: Math.max(0, countOf(Number(hash['ats'])) - 1),
    enqueuedAtMs: timeOf(Number(hash['timestamp'])),
    history: historyOf(jsonOf(hash['progress'])),
    crashes: countOf(Number(hash['stc'])),
  };
  const reports = hash['name'] === BUNDLE_JOB_NAME ? readBundle(id, jsonOf(hash['data'])) : undefined;
  const isPoison = reason === STALLED_TOO_OFTEN;
  if (reports === undefined) return { job, reason, isPoison };
  return { job, reason, isPoison, bundle: { id, reports, crashes: isPoison ? 1 : 0 } };
}

function payloadOf(text: string): Payload {
  const value = jsonOf(text);
  return value === undefined ? { kind: 'text', text } : { kind: 'json', value };
}
