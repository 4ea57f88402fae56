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

/** A server that takes so many requests a second, and as many at once. */
function tokenBucket(perSecond: number, startMs: number): (nowMs: number) => boolean {
  let tokens = perSecond;
  let filledAtMs = startMs;
  return (nowMs) => {
    tokens = Math.min(perSecond, tokens + ((nowMs - filledAtMs) / 1_000) * perSecond);
    filledAtMs = nowMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

interface Scene {
  readonly workers: number;
  /** Requests a second that the server takes. */
  readonly limit: number;
  readonly seconds: number;
  /** Attempts of one worker at once. */
  readonly concurrency?: number;
  /** From this second on the server takes everything. */
  readonly liftedAt?: number;
}

interface Seen {
  /** Requests that were sent in each second, by all workers together. */
  readonly sent: readonly number[];
  /** Requests that were taken in each second. */
  readonly taken: readonly number[];
  readonly paces: readonly PaceState[];
}

const START_MS = Date.UTC(2026, 0, 1);
const MAX_LATENCY_MS = 40;

/** Workers that always have reports to send, on a clock that only this function moves. */
function simulate({ workers, limit, seconds, concurrency = 50, liftedAt = Infinity }: Scene): Seen {
  const random = seeded(20_260_101);
  const accepts = tokenBucket(limit, START_MS);
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
        const isTaken = second >= liftedAt || accepts(nowMs);
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

describe.each([5, 50, 500])('with a server that takes %i requests a second', (limit) => {
  test.each([1, 2, 3, 4, 5])('%i workers together settle within a fifth of it and stay there', (workers) => {
    const { sent, taken } = simulate({ workers, limit, seconds: 150 });

    const window = Math.max(10, 100 / limit);
    const settled = means(sent.slice(30), window);
    // No worker goes below one request a second, so that many of them share a very low limit less exactly.
    const above = Math.max(limit * 0.2, workers * 0.4);
    expect(Math.min(...settled)).toBeGreaterThanOrEqual(limit * 0.8);
    expect(Math.max(...settled)).toBeLessThanOrEqual(limit + above);
    expect(Math.min(...means(taken.slice(30), window))).toBeGreaterThanOrEqual(limit * 0.8);
  });
});

test('a pace ends some time after the limit does', () => {
  const { sent, paces } = simulate({ workers: 3, limit: 50, seconds: 190, liftedAt: 40 });

  expect(Math.max(...means(sent.slice(30, 40), 10))).toBeLessThan(60);
  expect(paces.map(({ perSecond }) => perSecond)).toEqual([Infinity, Infinity, Infinity]);
  expect(sent.at(-1)).toBeGreaterThan(3 * 1_000);
});

test('no pace is kept where nothing was ever rejected', () => {
  const { paces } = simulate({ workers: 1, limit: Infinity, seconds: 3 });
  expect(paces[0]).toMatchObject({ perSecond: Infinity });
});

describe('a rejection', () => {
  /** A worker that has sent so many requests in this second, of which so many were taken. */
  function sending(sent: number, accepted: number): PaceState {
    let state = FREE_PACE;
    for (let n = 0; n < sent; n += 1) state = askToSend(state, START_MS).state;
    for (let n = 0; n < accepted; n += 1) state = afterAcceptance(state, START_MS + 10);
    return state;
  }

  test('sets the pace a little below what was taken', () => {
    expect(afterRejection(sending(100, 80), START_MS + 20).perSecond).toBeCloseTo(76);
  });

  test('halves the pace at most', () => {
    expect(afterRejection(sending(100, 3), START_MS + 20).perSecond).toBe(50);
  });

  test('leaves at least one request a second', () => {
    expect(afterRejection(sending(1, 0), START_MS + 20).perSecond).toBe(1);
    expect(afterRejection(FREE_PACE, START_MS).perSecond).toBe(1);
  });

  test('never raises it', () => {
    const slow = afterRejection(sending(10, 0), START_MS + 20);
    const later = { ...slow, before: { sent: 1_000, accepted: 1_000 } };
    expect(afterRejection(later, START_MS + 5_000).perSecond).toBeLessThanOrEqual(slow.perSecond);
  });

  test('counts once a second, because what is under way was sent at the old pace', () => {
    const lowered = { ...afterRejection(sending(100, 80), START_MS + 20), now: { sent: 76, accepted: 40 } };
    expect(afterRejection(lowered, START_MS + 1_019)).toBe(lowered);
    expect(afterRejection(lowered, START_MS + 1_020).perSecond).toBeCloseTo(38);
  });
});

describe('who asks', () => {
  const SLOW: PaceState = { ...FREE_PACE, perSecond: 10, loweredAtMs: START_MS, heldAtMs: START_MS };

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
        expect(state.perSecond).toBeGreaterThanOrEqual(1);
        expect(state.perSecond === Infinity || Number.isFinite(state.perSecond)).toBe(true);
        const { nextAtMs, heldAtMs, loweredAtMs } = state;
        expect([nextAtMs, heldAtMs, loweredAtMs].every(Number.isFinite)).toBe(true);
      }
    }),
  );
});
