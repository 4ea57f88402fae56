import { expect, onTestFinished, test } from 'vitest';
import { connectRedis } from '../../../src/adapters/bullmq/connect-redis.ts';
import { openFleetCounters } from '../../../src/adapters/bullmq/fleet-counters.ts';
import { openFleetRoster } from '../../../src/adapters/bullmq/fleet-roster.ts';
import { boundOf, bucketOf, FLOW_BUCKET_MS, type FlowField } from '../../../src/domain/flow.ts';
import type { WorkerSign } from '../../../src/pipeline/fleet-ports.ts';
import { tallyFlow } from '../../../src/pipeline/tally-flow.ts';
import { keyPrefix, redisUrl } from '../../support/redis.ts';

const NOW_MS = 1_790_000_003_210;

function setup() {
  const names = { prefix: keyPrefix(), queue: 'reports' };
  const redis = connectRedis(redisUrl(), 'worker', () => undefined);
  onTestFinished(() => redis.release());
  const counters = openFleetCounters(redis, names);
  return { names, redis, counters, roster: openFleetRoster(redis, names) };
}

test('what several workers count adds up, bucket by bucket', async () => {
  const { counters } = setup();
  let nowMs = NOW_MS;
  const one = tallyFlow(counters, () => nowMs);
  const other = tallyFlow(counters, () => nowMs);
  one.count(['applied', 'delivery:12']);
  other.count(['applied', 'delivery:12']);
  other.count(['dead:superseded']);
  nowMs += FLOW_BUCKET_MS;
  one.count(['accepted'], 40);
  await Promise.all([one.flush(), other.flush()]);
  await one.flush();
  await counters.noteBacklog(bucketOf(nowMs), 7);

  expect(await counters.read(NOW_MS - 60_000, nowMs)).toEqual([
    { atMs: bucketOf(NOW_MS), counts: { applied: 2, 'delivery:12': 2, 'dead:superseded': 1 } },
    { atMs: bucketOf(nowMs), counts: { accepted: 40 }, backlog: 7 },
  ]);
});

test('buckets are gone after an hour and a minute, and what is not ours in them is passed over', async () => {
  const { counters, redis, names } = setup();
  const key = `${names.prefix}:flow:${bucketOf(NOW_MS)}`;
  await counters.add(new Map([[bucketOf(NOW_MS), new Map<FlowField, number>([['retry', 1]])]]));
  await redis.hset(key, { foreign: 'x', applied: 'many', 'dead:none_such': '4' });

  expect(await counters.read(NOW_MS, NOW_MS)).toEqual([
    { atMs: bucketOf(NOW_MS), counts: { retry: 1, applied: 0 } },
  ]);
  const ttlMs = await redis.pttl(key);
  expect(ttlMs).toBeGreaterThan(3_600_000);
  expect(ttlMs).toBeLessThanOrEqual(3_660_000);
});

test('counts that could not be sent go with the next ones', async () => {
  let isAway = true;
  const sent: (readonly [number, FlowField, number])[] = [];
  const tally = tallyFlow(
    {
      async add(counts) {
        if (isAway) throw new Error('away');
        for (const [at, fields] of counts) for (const [field, times] of fields) sent.push([at, field, times]);
      },
    },
    () => NOW_MS,
  );
  tally.count(['applied']);
  await expect(tally.flush()).rejects.toThrow('away');
  tally.count(['applied']);
  isAway = false;
  await tally.flush();
  expect(sent).toEqual([[bucketOf(NOW_MS), 'applied', 2]]);
});

test('a worker that goes, or falls silent, is not among those who work', async () => {
  const { roster } = setup();
  const sign = (name: string, seenAtMs: number): WorkerSign => ({
    name,
    concurrency: 10,
    inFlight: 1,
    isCircuitOpen: false,
    startedAtMs: NOW_MS,
    seenAtMs,
  });
  await roster.sign(sign('b', NOW_MS));
  await roster.sign(sign('a', NOW_MS + 10_000));
  expect((await roster.list(NOW_MS + 10_000)).map(({ name }) => name)).toEqual(['a', 'b']);
  expect((await roster.list(NOW_MS + 16_000)).map(({ name }) => name)).toEqual(['a']);
  await roster.leave('a');
  expect(await roster.list(NOW_MS + 16_000)).toEqual([]);
});

test('a bound lies at or above its time, and never a fifth above it but for a millisecond', () => {
  for (let ms = 0; ms < 100_000; ms += 7) {
    expect(boundOf(ms)).toBeGreaterThanOrEqual(ms);
    expect(boundOf(ms)).toBeLessThanOrEqual(ms * 1.2 + 1);
  }
  expect(new Set(Array.from({ length: 86_400 }, (_, second) => boundOf(second * 1_000))).size).toBeLessThan(
    80,
  );
});
