import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterAcceptance,
  afterRejection,
  askToSend,
  FREE_PACE,
  type PaceState,
} from '../../src/domain/pace.ts';
import { seeded } from '../support/fleet.ts';

const START_MS = Date.UTC(2026, 0, 1);

/** Says of each request whether it is taken. */
type Server = (nowMs: number) => boolean;

/** A server that takes so many requests a second, and as many at once after a rest. */
function tokenBucket(perSecond: number): Server {
  let tokens = perSecond;
  let filledAtMs = START_MS;
  return (nowMs) => {
    tokens = Math.min(perSecond, tokens + ((nowMs - filledAtMs) / 1_000) * perSecond);
    filledAtMs = nowMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

/** A server that takes the first requests of every second, and no more. */
function fixedWindow(perSecond: number): Server {
  let second = 0;
  let taken = 0;
  return (nowMs) => {
    const now = Math.floor(nowMs / 1_000);
    if (now !== second) taken = 0;
    second = now;
    taken += 1;
    return taken <= perSecond;
  };
}

interface Scene {
  readonly workers: number;
  readonly server: Server;
  readonly seconds: number;
  /** Attempts of one worker at once. */
  readonly concurrency?: number;
  /** From this second on the server takes everything. */
  readonly liftedAt?: number;
  readonly seed?: number;
}

interface Seen {
  /** Requests that were sent in each second, by all workers together. */
  readonly sent: readonly number[];
  /** Requests that were taken in each second. */
  readonly taken: readonly number[];
  readonly paces: readonly PaceState[];
}

const MAX_LATENCY_MS = 40;

/** Workers that always have reports to send, on a clock that only this function moves. */
function simulate(scene: Scene): Seen {
  const { workers, server, seconds, concurrency = 50, liftedAt = Infinity, seed = 20_260_101 } = scene;
  const random = seeded(seed);
  const sent = Array.from({ length: seconds }, () => 0);
  const taken = Array.from({ length: seconds }, () => 0);
  const fleet = Array.from({ length: workers }, (_, n) => ({
    pace: FREE_PACE,
    inFlight: [] as { readonly endsAtMs: number; readonly isTaken: boolean }[],
    // Workers do not start together, nor do their timers fire together.
    askAtMs: START_MS + n * 7,
  }));

  for (let nowMs = START_MS; nowMs < START_MS + seconds * 1_000; nowMs += 1) {
    const second = Math.floor((nowMs - START_MS) / 1_000);
    for (const worker of fleet) {
      for (const { isTaken } of worker.inFlight.filter(({ endsAtMs }) => endsAtMs <= nowMs)) {
        worker.pace = isTaken ? afterAcceptance(worker.pace, nowMs) : afterRejection(worker.pace, nowMs);
      }
      worker.inFlight = worker.inFlight.filter(({ endsAtMs }) => endsAtMs > nowMs);
      while (worker.askAtMs <= nowMs && worker.inFlight.length < concurrency) {
        const { state, waitMs } = askToSend(worker.pace, nowMs);
        worker.pace = state;
        worker.askAtMs = nowMs + waitMs;
        if (waitMs > 0) break;
        const isTaken = second >= liftedAt || server(nowMs);
        const endsAtMs = nowMs + 5 + Math.floor(random() * (MAX_LATENCY_MS - 5));
        worker.inFlight.push({ endsAtMs, isTaken });
        sent[second] = (sent[second] ?? 0) + 1;
        taken[second] = (taken[second] ?? 0) + (isTaken ? 1 : 0);
      }
    }
  }
  return { sent, taken, paces: fleet.map(({ pace }) => pace) };
}

/** The mean of each window of so many seconds, one beginning with every second. */
function means(perSecond: readonly number[], window: number): readonly number[] {
  return perSecond.slice(window - 1).map((_, n) => {
    const part = perSecond.slice(n, n + window);
    return part.reduce((sum, count) => sum + count, 0) / window;
  });
}

/** So few requests of each worker that chance moves their sum by more than a fifth say nothing of a pace. */
const LEAST_OF_EACH = 0.9;
const SEEDS = [1, 2, 3, 4];

describe.each([
  { name: 'a bucket of tokens', serverOf: tokenBucket },
  { name: 'fixed seconds', serverOf: fixedWindow },
])('with a server that counts by $name', ({ serverOf }) => {
  const cases = [5, 8, 50, 500].flatMap((limit) =>
    [1, 2, 3, 4, 5, 8].flatMap((workers) => (limit / workers < LEAST_OF_EACH ? [] : [{ limit, workers }])),
  );

  test.each(cases)(
    '$workers workers together settle within a fifth of $limit requests a second in 30 s, and stay there',
    ({ limit, workers }) => {
      for (const seed of limit > 100 ? SEEDS.slice(0, 1) : SEEDS) {
        const { sent, taken } = simulate({ workers, server: serverOf(limit), seconds: 150, seed });

        const window = Math.max(10, 100 / limit);
        const settled = means(sent.slice(30), window);
        expect(Math.min(...settled)).toBeGreaterThanOrEqual(limit * 0.8);
        expect(Math.max(...settled)).toBeLessThanOrEqual(limit * 1.2);
        expect(Math.min(...means(taken.slice(30), window))).toBeGreaterThanOrEqual(limit * 0.8);
      }
    },
  );
});

test('many workers share a limit of few requests without keeping it at a multiple', () => {
  const { sent } = simulate({ workers: 8, server: tokenBucket(2), seconds: 200 });
  expect(Math.max(...means(sent.slice(30), 50))).toBeLessThan(2 * 1.5);
});

test.each([
  { workers: 1, limit: 50 },
  { workers: 3, limit: 50 },
  { workers: 5, limit: 50 },
  { workers: 1, limit: 5 },
])(
  'once a limit of $limit a second is gone, $workers workers are at full speed within 30 s',
  ({ workers, limit }) => {
    const { sent } = simulate({ workers, server: tokenBucket(limit), seconds: 90, liftedAt: 40 });

    expect(Math.max(...means(sent.slice(30, 40), 10))).toBeLessThan(limit * 1.2);
    // So many as a worker sends where nothing holds it back.
    expect(Math.min(...sent.slice(70))).toBeGreaterThan(workers * 1_000);
  },
);

test('a pace ends some time after the limit does', () => {
  const { paces } = simulate({ workers: 3, server: tokenBucket(50), seconds: 90, liftedAt: 40 });
  expect(paces.map(({ perSecond }) => perSecond)).toEqual([Infinity, Infinity, Infinity]);
});

test('no pace is kept where nothing was ever rejected', () => {
  const { paces } = simulate({ workers: 1, server: () => true, seconds: 3 });
  expect(paces[0]).toMatchObject({ perSecond: Infinity });
});

describe('a rejection', () => {
  /** A worker that has sent so many requests in this second, of which so many were taken and rejected. */
  function sending(sent: number, accepted: number, rejected = 0): PaceState {
    let state: PaceState = {
      ...FREE_PACE,
      loweredAtMs: START_MS,
      now: { ...FREE_PACE.now, fromMs: START_MS },
    };
    for (let n = 0; n < sent; n += 1) state = askToSend(state, START_MS).state;
    for (let n = 0; n < accepted; n += 1) state = afterAcceptance(state, START_MS + 10);
    for (let n = 0; n < rejected; n += 1) state = afterRejection(state, START_MS + 10);
    return { ...state, loweredAtMs: 0 };
  }

  test('sets the pace a fifth below what was sent', () => {
    expect(afterRejection(sending(100, 99), START_MS + 20).perSecond).toBeCloseTo(80);
  });

  test('sets it lower where less was taken', () => {
    expect(afterRejection(sending(100, 52, 39), START_MS + 20).perSecond).toBeCloseTo(58.2);
  });

  test('halves the pace at most', () => {
    expect(afterRejection(sending(100, 3, 90), START_MS + 20).perSecond).toBe(50);
  });

  test('leaves at least one request in ten seconds', () => {
    expect(afterRejection(FREE_PACE, START_MS).perSecond).toBe(0.1);
    let state = sending(1, 0);
    for (let n = 1; n < 100; n += 1) state = afterRejection(state, START_MS + n * 100_000);
    expect(state.perSecond).toBe(0.1);
  });

  test('counts once a second, because what is under way was sent at the old pace', () => {
    const lowered = afterRejection(sending(100, 99), START_MS + 20);
    expect(afterRejection(lowered, START_MS + 1_019).perSecond).toBe(lowered.perSecond);
    expect(afterRejection(lowered, START_MS + 1_020).perSecond).toBeLessThan(lowered.perSecond);
  });

  test('counts once in three requests where these are few', () => {
    const slow: PaceState = {
      ...FREE_PACE,
      perSecond: 0.5,
      loweredAtMs: START_MS,
      changedAtMs: START_MS + 5_999,
    };
    expect(afterRejection(slow, START_MS + 5_999).perSecond).toBe(0.5);
    expect(afterRejection(slow, START_MS + 6_000).perSecond).toBe(0.4);
  });
});

describe('who asks', () => {
  const SLOW: PaceState = { ...FREE_PACE, perSecond: 10, changedAtMs: START_MS, heldAtMs: START_MS };

  test('may go at once where no pace is kept, however many do', () => {
    let state = FREE_PACE;
    for (let n = 0; n < 10_000; n += 1) {
      const asked = askToSend(state, START_MS);
      expect(asked.waitMs).toBe(0);
      state = asked.state;
    }
  });

  test('is told how long to wait, and loses nothing by it', () => {
    const first = askToSend({ ...SLOW, nextAtMs: START_MS }, START_MS);
    expect(first.waitMs).toBe(0);
    const second = askToSend(first.state, START_MS + 30);
    expect(second.waitMs).toBe(70);
    expect(askToSend(second.state, START_MS + 100).waitMs).toBe(0);
  });

  test('makes up for a late timer, but not for a long silence', () => {
    const late = askToSend({ ...SLOW, nextAtMs: START_MS }, START_MS + 60);
    expect(askToSend(late.state, START_MS + 100).waitMs).toBe(0);

    let state: PaceState = { ...SLOW, nextAtMs: START_MS };
    let gone = 0;
    for (let n = 0; n < 50; n += 1) {
      const asked = askToSend(state, START_MS + 900);
      state = asked.state;
      gone += asked.waitMs === 0 ? 1 : 0;
    }
    expect(gone).toBe(2);
  });
});

test('whatever is called and whenever, the numbers stay finite and a wait short', () => {
  const call = fc.record({
    kind: fc.constantFrom('ask', 'accepted', 'rejected'),
    stepMs: fc.oneof(
      { weight: 5, arbitrary: fc.nat(50) },
      { weight: 2, arbitrary: fc.nat(5_000) },
      { weight: 1, arbitrary: fc.nat(1_000_000_000) },
    ),
    times: fc.integer({ min: 1, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 100 }), (calls) => {
      let state = FREE_PACE;
      let nowMs = START_MS;
      for (const { kind, stepMs, times } of calls) {
        nowMs += stepMs;
        for (let n = 0; n < times; n += 1) {
          if (kind === 'accepted') state = afterAcceptance(state, nowMs);
          if (kind === 'rejected') state = afterRejection(state, nowMs);
          if (kind !== 'ask') continue;
          const asked = askToSend(state, nowMs);
          state = asked.state;
          expect(asked.waitMs).toBeGreaterThanOrEqual(0);
          expect(asked.waitMs).toBeLessThanOrEqual(1_000);
        }
        expect(state.perSecond).toBeGreaterThanOrEqual(0.1);
        expect(state.perSecond === Infinity || Number.isFinite(state.perSecond)).toBe(true);
        const { nextAtMs, heldAtMs, loweredAtMs, changedAtMs } = state;
        expect([nextAtMs, heldAtMs, loweredAtMs, changedAtMs].every(Number.isFinite)).toBe(true);
      }
    }),
  );
});
