import { describe, expect, onTestFinished, test } from 'vitest';
import { connectRedis, type OwnedRedis } from '../../../src/adapters/bullmq/connect-redis.ts';
import { openFleetState } from '../../../src/adapters/bullmq/fleet-state.ts';
import { MAX_RETRY_AFTER_MS } from '../../../src/domain/backoff.ts';
import type { FleetState } from '../../../src/pipeline/gate.ts';
import { keyPrefix, keysUnder, redisUrl } from '../../support/redis.ts';
import { until } from '../../support/wait.ts';

interface Setup {
  readonly prefix: string;
  readonly redis: OwnedRedis;
  readonly fleet: FleetState;
  /** What another worker sees and says, on a connection of its own. */
  another(): FleetState;
}

function setup(): Setup {
  const prefix = keyPrefix();
  const open = (): { readonly redis: OwnedRedis; readonly fleet: FleetState } => {
    const redis = connectRedis(redisUrl(), 'worker', () => undefined);
    onTestFinished(() => redis.release());
    return { redis, fleet: openFleetState(redis, { prefix, queue: 'reports' }, 'worker-1') };
  };
  return { prefix, ...open(), another: () => open().fleet };
}

const OPEN = { sinceMs: 1_767_225_600_000, code: 'unreachable' };
const NOTHING = { circuit: undefined, holdForMs: 0 };

describe('a circuit', () => {
  test('that one says is open is open for all, until somebody says that it is closed', async () => {
    const { fleet, another } = setup();
    const other = another();
    expect(await other.look()).toEqual(NOTHING);
    await fleet.sayOpen(OPEN, 10_000);
    expect(await other.look()).toEqual({ circuit: OPEN, holdForMs: 0 });
    await other.sayClosed();
    expect(await fleet.look()).toEqual(NOTHING);
  });

  test('is forgotten by itself, with its key', async () => {
    const { fleet, prefix } = setup();
    await fleet.sayOpen(OPEN, 150);
    await until('it is forgotten', async () => (await fleet.look()).circuit === undefined, 1_000);
    expect(await keysUnder(prefix)).toEqual([]);
  });

  test('lasts longer where somebody keeps it open', async () => {
    const { fleet, redis, prefix } = setup();
    await fleet.sayOpen(OPEN, 1_000);
    await fleet.keepOpen(60_000);
    expect(await redis.pttl(`${prefix}:circuit`)).toBeGreaterThan(50_000);
    expect((await fleet.look()).circuit).toEqual(OPEN);
  });

  test('that was closed, or never open, is not opened by keeping it so', async () => {
    const { fleet, prefix } = setup();
    await fleet.sayOpen(OPEN, 10_000);
    await fleet.sayClosed();
    await fleet.keepOpen(10_000);
    expect(await fleet.look()).toEqual(NOTHING);
    expect(await keysUnder(prefix)).toEqual([]);
  });
});

describe('the turn to probe', () => {
  test('is taken by one of ten connections that ask at once', async () => {
    const { another } = setup();
    const workers = Array.from({ length: 10 }, another);
    const turns = await Promise.all(workers.map((worker) => worker.takeProbe(10_000)));
    expect(turns.filter((isTaken) => isTaken)).toHaveLength(1);
    expect(await Promise.all(workers.map((worker) => worker.takeProbe(10_000)))).toEqual(
      Array(10).fill(false),
    );
  });

  test('comes back after the interval, for one again', async () => {
    const { another } = setup();
    const workers = Array.from({ length: 10 }, another);
    const startedAt = performance.now();
    const takenAt: number[] = [];
    while (takenAt.length < 4) {
      const turns = await Promise.all(workers.map((worker) => worker.takeProbe(100)));
      const taken = turns.filter((isTaken) => isTaken).length;
      expect(taken).toBeLessThanOrEqual(1);
      if (taken === 1) takenAt.push(performance.now() - startedAt);
    }
    // What Redis calls 100 ms may be seen as a little less from here.
    for (const [n, at] of takenAt.slice(1).entries()) expect(at - (takenAt[n] ?? 0)).toBeGreaterThan(90);
  });

  test('leaves no key behind', async () => {
    const { fleet, prefix } = setup();
    await fleet.takeProbe(50);
    await until('the turn is over', async () => (await keysUnder(prefix)).length === 0, 1_000);
  });
});

describe('a hold', () => {
  test('counts for all, and ends by itself', async () => {
    const { fleet, another, prefix } = setup();
    const other = another();
    await fleet.sayHold(300);
    const { holdForMs } = await other.look();
    expect(holdForMs).toBeGreaterThan(100);
    expect(holdForMs).toBeLessThanOrEqual(300);
    await until('it is over', async () => (await other.look()).holdForMs === 0, 1_000);
    expect(await keysUnder(prefix)).toEqual([]);
  });

  test('keeps the later end, whichever was said last', async () => {
    const { fleet, another } = setup();
    await fleet.sayHold(20_000);
    await another().sayHold(5_000);
    expect((await fleet.look()).holdForMs).toBeGreaterThan(15_000);
    await another().sayHold(40_000);
    expect((await fleet.look()).holdForMs).toBeGreaterThan(35_000);
  });

  test('keeps the later end where ten say it at once', async () => {
    const { fleet, another } = setup();
    const workers = Array.from({ length: 10 }, another);
    await Promise.all(workers.map((worker, n) => worker.sayHold(10_000 * (1 + ((n * 7) % 10)))));
    expect((await fleet.look()).holdForMs).toBeGreaterThan(95_000);
  });
});

describe('what is not ours to read', () => {
  test.each([
    'open',
    '',
    'null',
    '[]',
    '{}',
    '{"sinceMs":"now","code":"tls"}',
    '{"sinceMs":1}',
    '{"sinceMs":1,"code":7}',
  ])('%j for a circuit counts as nothing said', async (value) => {
    const { fleet, redis, prefix } = setup();
    await redis.set(`${prefix}:circuit`, value, 'PX', 10_000);
    expect(await fleet.look()).toEqual(NOTHING);
    await fleet.sayOpen(OPEN, 10_000);
    expect((await fleet.look()).circuit).toEqual(OPEN);
  });

  test.each([
    ['without an end', []],
    ['longer than any Retry-After', ['PX', MAX_RETRY_AFTER_MS + 10_000]],
  ] as const)('a hold %s holds nobody', async (_, expiry) => {
    const { fleet, redis, prefix } = setup();
    await redis.call('SET', `${prefix}:hold`, 'for ever', ...expiry);
    expect(await fleet.look()).toEqual(NOTHING);
  });

  test('a hold of any text lasts as long as its key', async () => {
    const { fleet, redis, prefix } = setup();
    await redis.set(`${prefix}:hold`, 'NaN', 'PX', 5_000);
    const { holdForMs } = await fleet.look();
    expect(holdForMs).toBeGreaterThan(1_000);
    await fleet.sayHold(60_000);
    expect((await fleet.look()).holdForMs).toBeGreaterThan(50_000);
  });

  test('a hold without an end gives way to one that is asked for', async () => {
    const { fleet, redis, prefix } = setup();
    await redis.set(`${prefix}:hold`, 'for ever');
    await fleet.sayHold(5_000);
    expect((await fleet.look()).holdForMs).toBeGreaterThan(1_000);
  });
});
