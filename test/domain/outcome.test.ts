import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideOutcome, type JobState, type Outcome, type RetryPolicy } from '../../src/domain/outcome.ts';
import { judgeAnswer, judgeReadBack, type Verdict } from '../../src/domain/verdict.ts';
import { anyAnswer, anyReadBack } from './arbitraries.ts';
import {
  CONFLICT,
  FIRST,
  NOT_RUNNING,
  OUTCOME_CASES,
  POLICY,
  SERVER_ERROR,
  THROTTLED,
  UNREACHABLE,
} from './outcome-cases.ts';
import { AMBIGUOUS } from './verdict-cases.ts';

const ALMOST_ONE = 1 - Number.EPSILON / 2;

/** The shortest and the longest wait that chance can give. */
function waitsOf(verdict: Verdict, job: Partial<JobState>, policy: RetryPolicy = POLICY): readonly number[] {
  return [0, ALMOST_ONE].map((drawn) => {
    const outcome = decideOutcome(verdict, { ...FIRST, ...job }, policy, () => drawn);
    if (!('delayMs' in outcome)) throw new Error(`expected a wait, got ${outcome.kind}`);
    return outcome.delayMs;
  });
}

describe.each(OUTCOME_CASES)('$row', ({ given, kind, code }) => {
  test.each(given)(`becomes ${kind}: %j with %j`, (verdict, job) => {
    const outcome = decideOutcome(verdict, { ...FIRST, ...job }, POLICY, () => 0.5);
    const own = 'code' in verdict ? verdict.code : undefined;
    expect(outcome.kind).toBe(kind);
    expect('code' in outcome ? outcome.code : 'none').toBe(code === 'its own' ? own : code);
  });
});

describe('the wait', () => {
  test('of a retry grows with the attempts that were used, up to its cap', () => {
    const policy = { ...POLICY, maxAttempts: 100 };
    expect(waitsOf(SERVER_ERROR, { attempt: 1 }, policy)).toEqual([0, 1_000]);
    expect(waitsOf(SERVER_ERROR, { attempt: 2 }, policy)).toEqual([0, 2_000]);
    expect(waitsOf(SERVER_ERROR, { attempt: 6 }, policy)).toEqual([0, 32_000]);
    expect(waitsOf(SERVER_ERROR, { attempt: 7 }, policy)).toEqual([0, 60_000]);
    expect(waitsOf(SERVER_ERROR, { attempt: 99 }, policy)).toEqual([0, 60_000]);
  });

  test('of a retry does not grow with snoozes', () => {
    expect(waitsOf(SERVER_ERROR, { attempt: 1, earlierStarts: 50 })).toEqual([0, 1_000]);
  });

  test('after a conflict is short', () => {
    const policy = { ...POLICY, maxAttempts: 100 };
    expect(waitsOf(CONFLICT, { attempt: 1 }, policy)).toEqual([0, 50]);
    expect(waitsOf(CONFLICT, { attempt: 2 }, policy)).toEqual([0, 100]);
    expect(waitsOf(CONFLICT, { attempt: 99 }, policy)).toEqual([0, 1_000]);
  });

  test('while throttled grows with every start, since no attempt is counted', () => {
    expect(waitsOf(THROTTLED, { earlierStarts: 0 })).toEqual([0, 1_000]);
    expect(waitsOf(THROTTLED, { earlierStarts: 3 })).toEqual([0, 8_000]);
    expect(waitsOf(THROTTLED, { earlierStarts: 1_000_000 })).toEqual([0, 60_000]);
  });

  test.each([
    ['throttled', THROTTLED],
    ['a server error', SERVER_ERROR],
    ['a conflict', CONFLICT],
  ])('after %s is never shorter than Retry-After asks', (_, verdict) => {
    const [shortest, longest] = waitsOf(verdict, { retryAfterMs: 700 });
    expect(shortest).toBe(700);
    expect(longest).toBe(Math.max(700, waitsOf(verdict, {})[1] ?? 0));
    expect(waitsOf(verdict, { retryAfterMs: 300_000 })).toEqual([300_000, 300_000]);
  });

  test('in an outage grows with every start, and is never below half its bound', () => {
    expect(waitsOf(UNREACHABLE, { earlierStarts: 0 })).toEqual([1_000, 2_000]);
    expect(waitsOf(UNREACHABLE, { earlierStarts: 1 })).toEqual([2_000, 4_000]);
    expect(waitsOf(UNREACHABLE, { earlierStarts: 3 })).toEqual([8_000, 16_000]);
    expect(waitsOf(UNREACHABLE, { earlierStarts: 4 })).toEqual([15_000, 30_000]);
    expect(waitsOf(UNREACHABLE, { earlierStarts: 1_000_000 })).toEqual([15_000, 30_000]);
  });

  test('for a sync job that does not run stays the same, and is never below its half', () => {
    expect(waitsOf(NOT_RUNNING, {})).toEqual([30_000, 60_000]);
    expect(waitsOf(NOT_RUNNING, { earlierStarts: 50, notRunningForMs: 3_599_999 })).toEqual([30_000, 60_000]);
  });
});

test('a retry beyond the budget waits about as long as any may', () => {
  const decide = (drawn: number): Outcome =>
    decideOutcome(SERVER_ERROR, { ...FIRST, isWithinRetryBudget: false }, POLICY, () => drawn);
  expect(decide(0)).toMatchObject({ kind: 'retry', delayMs: 30_000 });
  expect(decide(ALMOST_ONE)).toMatchObject({ kind: 'retry', delayMs: 60_000 });
});

describe('whatever is answered, and however long it has gone on', () => {
  const jobs: fc.Arbitrary<JobState> = fc.record({
    attempt: fc.integer({ min: 1, max: 1_000_000 }),
    earlierStarts: fc.nat(1_000_000),
    ageMs: fc.nat(2_000_000_000),
    notRunningForMs: fc.nat(2_000_000_000),
    retryAfterMs: fc.nat(300_000),
    circuitWasOpen: fc.boolean(),
    isWithinRetryBudget: fc.boolean(),
  });
  const bounds = fc.record({ baseMs: fc.nat(60_000), capMs: fc.nat(600_000) });
  const policies: fc.Arbitrary<RetryPolicy> = fc.record({
    maxAttempts: fc.integer({ min: 1, max: 100 }),
    maxAgeMs: fc.nat(1_000_000_000),
    backoff: bounds,
    outage: bounds,
    notRunningMaxMs: fc.nat(1_000_000_000),
    notRunningDelayMs: fc.nat(600_000),
  });
  const draws = fc.double({ min: 0, max: ALMOST_ONE, noNaN: true });
  const isVerdict = (judged: { readonly kind: string }): judged is Verdict =>
    !['ambiguous', 'too-large', 'changed-meanwhile'].includes(judged.kind);
  const verdicts: fc.Arbitrary<Verdict> = fc.oneof(
    anyAnswer.map(judgeAnswer).filter(isVerdict),
    fc
      .tuple(fc.constantFrom(...AMBIGUOUS), anyReadBack, fc.boolean())
      .map(([first, readBack, ours]) => judgeReadBack(first, readBack, () => ours))
      .filter(isVerdict),
  );

  const decided = (
    check: (outcome: Outcome, given: { verdict: Verdict; job: JobState; policy: RetryPolicy }) => void,
    only: fc.Arbitrary<Verdict> = verdicts,
  ): void => {
    fc.assert(
      fc.property(only, jobs, policies, draws, (verdict, job, policy, drawn) => {
        check(
          decideOutcome(verdict, job, policy, () => drawn),
          { verdict, job, policy },
        );
      }),
      { numRuns: 1000 },
    );
  };

  test('every wait is a whole number of milliseconds within the bounds of its policy', () => {
    decided((outcome, { job, policy }) => {
      if (outcome.kind !== 'retry' && outcome.kind !== 'snooze') return;
      const longest = Math.max(policy.backoff.capMs, policy.outage.capMs, policy.notRunningDelayMs, 1_000);
      expect(Number.isSafeInteger(outcome.delayMs)).toBe(true);
      expect(outcome.delayMs).toBeGreaterThanOrEqual(0);
      expect(outcome.delayMs).toBeLessThanOrEqual(Math.max(longest, job.retryAfterMs));
    });
  });

  test('an outage only ever snoozes: it gives nothing up and uses no attempt', () => {
    decided(
      (outcome, { verdict }) => {
        expect(outcome).toMatchObject({ kind: 'snooze', code: 'code' in verdict ? verdict.code : 'none' });
      },
      verdicts.filter(({ kind }) => kind === 'outage'),
    );
  });

  test('an attempt is counted only where its verdict says that it was used', () => {
    decided((outcome, { verdict }) => {
      if (outcome.kind === 'retry') expect(verdict).toMatchObject({ kind: 'transient', attemptUsed: true });
      if (outcome.kind === 'dead-letter' && outcome.code === 'attempts_exhausted') {
        expect(verdict).toMatchObject({ kind: 'transient', attemptUsed: true });
      }
    });
  });

  const isPartOfOutage = (verdict: Verdict, job: JobState): boolean =>
    job.circuitWasOpen && verdict.circuit === 'failure';

  test('a transient verdict ends: no attempt after the last one, none of a report that is too old', () => {
    decided(
      (outcome, { verdict, job, policy }) => {
        if (outcome.kind === 'dead-letter' || isPartOfOutage(verdict, job)) return;
        expect(job.ageMs).toBeLessThan(policy.maxAgeMs);
        if (outcome.kind === 'retry') expect(job.attempt).toBeLessThan(policy.maxAttempts);
      },
      fc.constantFrom(SERVER_ERROR, CONFLICT, THROTTLED),
    );
  });

  test('a failure met while the circuit was open uses no attempt and gives nothing up', () => {
    decided(
      (outcome, { verdict, job }) => {
        if (isPartOfOutage(verdict, job)) expect(outcome.kind).toBe('snooze');
      },
      fc.constantFrom(SERVER_ERROR, CONFLICT, THROTTLED),
    );
  });

  test('a permanent verdict is a dead letter with its own code', () => {
    decided(
      (outcome, { verdict }) => {
        expect(outcome).toEqual({ kind: 'dead-letter', code: 'code' in verdict ? verdict.code : 'none' });
      },
      verdicts.filter(({ kind }) => kind === 'permanent'),
    );
  });
});
