import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterLook,
  afterVerdict,
  type CircuitPolicy,
  type CircuitState,
  CLOSED,
  failureWeight,
} from '../../src/domain/circuit.ts';
import type { CircuitEffect } from '../../src/domain/verdict.ts';
import { APPLIED, SERVER_ERROR, THROTTLED, UNREACHABLE } from './outcome-cases.ts';

const POLICY: CircuitPolicy = { failuresToOpen: 10 };

const OPEN: CircuitState = { kind: 'open', sinceMs: 500, code: 'unreachable' };

interface Said {
  readonly effect: CircuitEffect;
  readonly weight: number;
  readonly code: string;
}

const failure: Said = { effect: 'failure', weight: 1, code: 'server_error' };
const success: Said = { effect: 'success', weight: 0, code: '' };
const neutral: Said = { effect: 'neutral', weight: 0, code: 'throttled' };

const told = (state: CircuitState, ...said: readonly Said[]): CircuitState =>
  said.reduce((reached, verdict) => afterVerdict(reached, verdict, POLICY, 1_000), state);

const times = (count: number, said: Said): readonly Said[] => Array.from({ length: count }, () => said);

describe('a closed circuit', () => {
  test('opens with the last of so many failures in a row, and not before', () => {
    expect(told(CLOSED, ...times(9, failure))).toEqual({ kind: 'closed', failures: 9 });
    expect(told(CLOSED, ...times(10, failure))).toEqual({
      kind: 'open',
      sinceMs: 1_000,
      code: 'server_error',
    });
  });

  test('forgets every failure with one success', () => {
    expect(told(CLOSED, ...times(9, failure), success)).toEqual(CLOSED);
    expect(told(CLOSED, ...times(9, failure), success, ...times(9, failure)).kind).toBe('closed');
  });

  test('learns nothing from a verdict that is neither', () => {
    const before: CircuitState = { kind: 'closed', failures: 9 };
    expect(told(before, ...times(100, neutral))).toBe(before);
  });

  test('opens with the code of the failure that was the last straw', () => {
    const weighty: Said = { effect: 'failure', weight: 4, code: 'tls' };
    expect(told(CLOSED, ...times(6, failure), weighty)).toMatchObject({ kind: 'open', code: 'tls' });
  });
});

describe('a failure weighs', () => {
  test('one where it may be bad luck, and four where it is an outage', () => {
    expect(failureWeight(SERVER_ERROR)).toBe(1);
    expect(failureWeight(UNREACHABLE)).toBe(4);
  });

  test('nothing where it is none', () => {
    expect([APPLIED, THROTTLED].map(failureWeight)).toEqual([0, 0]);
  });

  test('so that three refused connections in a row are enough', () => {
    const refused: Said = { effect: 'failure', weight: failureWeight(UNREACHABLE), code: 'unreachable' };
    expect(told(CLOSED, refused, refused).kind).toBe('closed');
    expect(told(CLOSED, refused, refused, refused).kind).toBe('open');
  });
});

describe('an open circuit', () => {
  test('stays as it is with every further failure, its beginning and its reason too', () => {
    expect(told(OPEN, ...times(50, failure))).toBe(OPEN);
    expect(told(OPEN, neutral)).toBe(OPEN);
  });

  test('closes with a success', () => {
    expect(told(OPEN, success)).toEqual(CLOSED);
  });

  test('is on trial where the fleet says nothing of it any more: one failure opens it again', () => {
    const trial = afterLook(OPEN, undefined, POLICY);
    expect(trial.kind).toBe('closed');
    expect(told(trial, failure).kind).toBe('open');
  });

  test('is closed for good with the first success of its trial', () => {
    const trial = afterLook(OPEN, undefined, POLICY);
    expect(told(trial, success)).toEqual(CLOSED);
    expect(told(trial, success, failure).kind).toBe('closed');
  });

  test('keeps its own beginning where the fleet names another', () => {
    expect(afterLook(OPEN, { sinceMs: 1, code: 'tls' }, POLICY)).toBe(OPEN);
  });
});

describe('what the fleet says', () => {
  test('opens a closed circuit, with its beginning and its reason', () => {
    expect(afterLook(CLOSED, { sinceMs: 7, code: 'tls' }, POLICY)).toEqual({
      kind: 'open',
      sinceMs: 7,
      code: 'tls',
    });
  });

  test('takes no failure back where it says nothing', () => {
    const failing: CircuitState = { kind: 'closed', failures: 5 };
    expect(afterLook(failing, undefined, POLICY)).toBe(failing);
  });
});

test('whatever comes, a circuit is open exactly where the failures since the last success are enough', () => {
  const said = fc.oneof(
    fc.constant(success),
    fc.constant(neutral),
    fc.record({
      effect: fc.constant<'failure'>('failure'),
      weight: fc.constantFrom(1, 4),
      code: fc.constant('x'),
    }),
  );
  fc.assert(
    fc.property(fc.array(said, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (all, failuresToOpen) => {
      let state = CLOSED;
      let failures = 0;
      for (const one of all) {
        state = afterVerdict(state, one, { failuresToOpen }, 0);
        if (one.effect === 'success') failures = 0;
        else failures += one.weight;
        expect(state.kind).toBe(failures >= failuresToOpen ? 'open' : 'closed');
        if (state.kind === 'closed') expect(state.failures).toBe(failures);
      }
    }),
  );
});
