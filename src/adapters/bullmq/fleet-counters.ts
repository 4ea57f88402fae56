import type { Redis } from 'ioredis';
import { bucketOf, FLOW_BUCKET_MS, FLOW_KEPT_MS, type FlowBucket, isFlowField } from '../../domain/flow.ts';
import type { FleetCounters } from '../../pipeline/fleet-ports.ts';
import type { QueueNames } from './names.ts';
import { countOf } from './queued-job.ts';

/** Beside the counts in a bucket's hash; no count has this name. */
const BACKLOG = 'backlog';

/** Kept a little longer than anybody reads it, so that the oldest bucket is still whole. */
const EXPIRES_MS = FLOW_KEPT_MS + 60_000;

/** Buckets read in one call, so that Redis is held up for a few milliseconds at most. */
const BUCKETS_A_CALL = 100;

/** The counts of a fleet: a hash for every few seconds, which expires by itself. */
export function openFleetCounters(redis: Redis, names: QueueNames): FleetCounters {
  const keyOf = (bucketMs: number): string => `${names.prefix}:flow:${bucketMs}`;

  async function readSome(bucketsMs: readonly number[]): Promise<FlowBucket[]> {
    const pipeline = redis.pipeline();
    for (const bucketMs of bucketsMs) pipeline.hgetall(keyOf(bucketMs));
    const replies = (await pipeline.exec()) ?? [];
    return replies.flatMap(([error, fields], index) => {
      if (error !== null) throw error;
      const atMs = bucketsMs[index];
      return atMs === undefined ? [] : bucketFrom(atMs, fields as Readonly<Record<string, string>>);
    });
  }

  return {
    async add(counts) {
      const transaction = redis.multi();
      for (const [bucketMs, fields] of counts) {
        for (const [field, times] of fields) transaction.hincrby(keyOf(bucketMs), field, times);
        transaction.pexpire(keyOf(bucketMs), EXPIRES_MS);
      }
      await transaction.exec();
    },
    async noteBacklog(bucketMs, reports) {
      await redis.multi().hset(keyOf(bucketMs), BACKLOG, reports).pexpire(keyOf(bucketMs), EXPIRES_MS).exec();
    },
    async read(fromMs, toMs) {
      const firstMs = bucketOf(fromMs);
      const length = Math.max(0, Math.floor((toMs - firstMs) / FLOW_BUCKET_MS) + 1);
      const bucketsMs = Array.from({ length }, (_, index) => firstMs + index * FLOW_BUCKET_MS);
      const found: FlowBucket[] = [];
      for (let from = 0; from < length; from += BUCKETS_A_CALL) {
        found.push(...(await readSome(bucketsMs.slice(from, from + BUCKETS_A_CALL))));
      }
      return found;
    },
  };
}

/** A bucket, or none where nothing was counted; what is not ours to read counts as not there. */
function bucketFrom(atMs: number, fields: Readonly<Record<string, string>>): FlowBucket[] {
  const entries = Object.entries(fields);
  if (entries.length === 0) return [];
  const counts = Object.fromEntries(
    entries.filter(([name]) => isFlowField(name)).map(([name, count]) => [name, countOf(Number(count))]),
  );
  const backlog = fields[BACKLOG];
  return [{ atMs, counts, ...(backlog === undefined ? {} : { backlog: countOf(Number(backlog)) }) }];
}
