import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterOutage,
  afterSample,
  type ConcurrencyPolicy,
  type ConcurrencyState,
  initialConcurrency,
  type Sample,
} from '../../src/domain/concurrency.ts';

const POLICY: ConcurrencyPolicy = { base: 50, max: 400 };

/** Answers that come while the limit is used to the full. */
function feed(
  state: ConcurrencyState,
  count: number,
  sample: Partial<Sample> = {},
  policy: ConcurrencyPolicy = POLICY,
): ConcurrencyState {
  let reached = state;
  for (let n = 0; n < count; n += 1) {
    const ordinary: Sample = { latencyMs: 20, effect: 'success', throttled: false, inFlight: reached.limit };
    reached = afterSample(reached, { ...ordinary, ...sample }, policy);
  }
  return reached;
}

/** A state that has been where answers come later, and since then has grown to the limit; its best is 20 ms. */
function grownTo(limit: number): ConcurrencyState {
  let state: ConcurrencyState = { ...initialConcurrency(POLICY), isSearching: false };
  while (state.limit < limit) state = feed(state, 1);
  return state;
}

const tenthMore = (limit: number): number => Math.ceil(limit * 1.1);

describe('a worker begins', () => {
  test('with its base', () => {
    expect(initialConcurrency(POLICY).limit).toBe(50);
    expect(initialConcurrency({ base: 50, max: 8 }).limit).toBe(8);
  });

  test('with one after an outage, and doubles with every round of successes up to its base', () => {
    let state = afterOutage(grownTo(80));
    const limits = [state.limit];
    for (let round = 0; round < 7; round += 1) {
      state = feed(state, state.limit);
      limits.push(state.limit);
    }
    expect(limits).toEqual([1, 2, 4, 8, 16, 32, 50, tenthMore(50)]);
  });

  test('to come back from an outage also where it is not used to the full', () => {
    expect(feed(afterOutage(grownTo(80)), 1 + 2 + 4, { inFlight: 1 }).limit).toBe(8);
  });
});

describe('above its base it', () => {
  test('grows by half a round until answers come later for the first time, and takes that step back', () => {
    let state = initialConcurrency(POLICY);
    const limits: number[] = [];
    for (const latencyMs of [20, 20, 20, 30, 20]) {
      state = feed(state, state.limit, { latencyMs });
      limits.push(state.limit);
    }
    expect(limits).toEqual([75, 113, 170, 113, tenthMore(113)]);
  });

  test('grows by a tenth a round from then on, while answers come as fast as they did at their best', () => {
    const first = feed(grownTo(50), 50);
    expect(first.limit).toBe(tenthMore(50));
    expect(feed(first, first.limit - 1).limit).toBe(first.limit);
    expect(feed(first, first.limit).limit).toBe(tenthMore(first.limit));
  });

  test('does not grow where it is not used to the full', () => {
    expect(feed(initialConcurrency(POLICY), 5_000, { inFlight: 49 }).limit).toBe(50);
  });

  test('ends at its maximum', () => {
    expect(feed(initialConcurrency(POLICY), 20_000).limit).toBe(400);
  });

  test('shrinks where answers come later, because more requests would only wait in a longer line', () => {
    const grown = grownTo(200);
    expect(feed(grown, grown.limit, { latencyMs: 60 }).limit).toBe(Math.floor(grown.limit * 0.9));
  });

  test('stays as it is between the two', () => {
    const grown = grownTo(200);
    expect(feed(grown, grown.limit, { latencyMs: 28 }).limit).toBe(grown.limit);
  });

  test('is not brought below its base by slow answers alone', () => {
    let state = grownTo(200);
    for (let round = 0; round < 30; round += 1) {
      state = feed(state, state.limit, { latencyMs: 1_000 * (round + 1) });
      expect(state.limit).toBeGreaterThanOrEqual(50);
    }
    expect(state.limit).toBe(50);
  });

  test('takes a server that has become slower for good as it is, in the end', () => {
    let state = grownTo(100);
    for (let round = 0; round < 5_000; round += 1) state = feed(state, state.limit, { latencyMs: 60 });
    expect(state.limit).toBeGreaterThan(100);
  });

  test('sees the line that grows at a server that answers within milliseconds', () => {
    // It takes 8,000 a second and no more: what is sent beyond that waits.
    let state = initialConcurrency(POLICY);
    for (let round = 0; round < 2_000; round += 1) {
      const latencyMs = Math.max(1, state.limit / 8);
      state = feed(state, state.limit, { latencyMs, inFlight: state.limit });
    }
    expect(state.limit).toBeLessThan(80);
  });
});

describe('it shrinks', () => {
  test('at once with a rejection, down to one', () => {
    const rejected = feed(initialConcurrency(POLICY), 1, { throttled: true, effect: 'neutral' });
    expect(rejected.limit).toBe(35);
    expect(feed(rejected, 20, { throttled: true, effect: 'neutral' }).limit).toBe(1);
  });

  test('by half after a round with more failures than successes, down to one', () => {
    const state = initialConcurrency(POLICY);
    expect(feed(feed(state, 26, { effect: 'failure' }), 24).limit).toBe(25);
    expect(feed(feed(state, 25, { effect: 'failure' }), 25).limit).toBeGreaterThanOrEqual(50);
    expect(feed(state, 500, { effect: 'failure' }).limit).toBe(1);
  });

  test('not with what says nothing of Elasticsearch', () => {
    const state = feed(initialConcurrency(POLICY), 30);
    expect(feed(state, 1_000, { effect: 'neutral' })).toBe(state);
  });

  test('and grows again from one', () => {
    expect(feed(feed(initialConcurrency(POLICY), 500, { effect: 'failure' }), 200).limit).toBeGreaterThan(49);
  });
});

test('whatever comes, it is a whole number from one to its maximum', () => {
  const sample = fc.record({
    latencyMs: fc.oneof(
      fc.nat(60_000),
      fc.constantFrom(0, -1, 0.5, Number.MAX_SAFE_INTEGER, Number.MIN_VALUE),
    ),
    effect: fc.constantFrom<Sample['effect']>('success', 'success', 'success', 'failure', 'neutral'),
    throttled: fc.boolean(),
    inFlight: fc.oneof(fc.nat(500), fc.constant(500)),
  });
  const step = fc.oneof(
    { weight: 20, arbitrary: fc.tuple(sample, fc.nat(200)) },
    { weight: 1, arbitrary: fc.constant('outage' as const) },
  );
  fc.assert(
    fc.property(
      fc.record({ base: fc.integer({ min: 1, max: 500 }), max: fc.integer({ min: 1, max: 1_000 }) }),
      fc.array(step, { maxLength: 30 }),
      (policy, steps) => {
        let state = initialConcurrency(policy);
        for (const one of steps) {
          if (one === 'outage') {
            state = afterOutage(state);
            continue;
          }
          for (let n = 0; n <= one[1]; n += 1) state = afterSample(state, one[0], policy);
          expect(Number.isInteger(state.limit)).toBe(true);
          expect(state.limit).toBeGreaterThanOrEqual(1);
          expect(state.limit).toBeLessThanOrEqual(policy.max);
        }
      },
    ),
  );
});
