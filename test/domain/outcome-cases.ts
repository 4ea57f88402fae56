import type { JobState, Outcome, RetryPolicy } from '../../src/domain/outcome.ts';
import type { Verdict } from '../../src/domain/verdict.ts';

/** One row of the table of outcomes in docs/job-lifecycle.md, with jobs that it is about. */
export interface OutcomeCase {
  /** The row's first cell. */
  readonly row: string;
  readonly given: readonly (readonly [Verdict, Partial<JobState>])[];
  /** Outcome and code, as the row's other cells say them. */
  readonly kind: Outcome['kind'];
  readonly code: 'its own' | 'none' | 'attempts_exhausted' | 'expired';
}

export const POLICY: RetryPolicy = {
  maxAttempts: 5,
  maxAgeMs: 86_400_000,
  backoff: { baseMs: 1_000, capMs: 60_000 },
  outage: { baseMs: 2_000, capMs: 30_000 },
  notRunningMaxMs: 3_600_000,
  notRunningDelayMs: 60_000,
};

/** A job at its first attempt, just accepted. */
export const FIRST: JobState = {
  attempt: 1,
  earlierStarts: 0,
  ageMs: 0,
  notRunningForMs: 0,
  retryAfterMs: 0,
  circuitWasOpen: false,
  isWithinRetryBudget: true,
};

export const APPLIED: Verdict = { kind: 'applied', circuit: 'success' };
export const ALREADY_APPLIED: Verdict = { kind: 'already-applied', circuit: 'success' };
export const REJECTED: Verdict = { kind: 'permanent', code: 'rejected', circuit: 'success' };
export const NOT_FOUND: Verdict = { kind: 'permanent', code: 'sync_job_not_found', circuit: 'success' };
export const UNREACHABLE: Verdict = { kind: 'outage', code: 'unreachable', circuit: 'failure' };
export const NOT_RUNNING: Verdict = { kind: 'not-running', code: 'not_running', circuit: 'success' };
export const INTERRUPTED: Verdict = { kind: 'interrupted', circuit: 'neutral' };
export const SERVER_ERROR: Verdict = {
  kind: 'transient',
  code: 'server_error',
  attemptUsed: true,
  wait: 'backoff',
  circuit: 'failure',
};
export const CONFLICT: Verdict = {
  kind: 'transient',
  code: 'conflict',
  attemptUsed: true,
  wait: 'short',
  circuit: 'success',
};
export const THROTTLED: Verdict = {
  kind: 'transient',
  code: 'throttled',
  attemptUsed: false,
  wait: 'retry-after',
  circuit: 'neutral',
};

/** A job at every limit at once. */
export const SPENT: JobState = {
  attempt: 1_000_000,
  earlierStarts: 1_000_000,
  ageMs: 31_536_000_000,
  notRunningForMs: 31_536_000_000,
  retryAfterMs: 300_000,
  circuitWasOpen: false,
  isWithinRetryBudget: true,
};

export const OUTCOME_CASES: readonly OutcomeCase[] = [
  {
    row: 'applied',
    given: [
      [APPLIED, {}],
      [APPLIED, SPENT],
    ],
    kind: 'applied',
    code: 'none',
  },
  {
    row: 'already applied',
    given: [
      [ALREADY_APPLIED, {}],
      [ALREADY_APPLIED, SPENT],
    ],
    kind: 'already-applied',
    code: 'none',
  },
  {
    row: 'permanent',
    given: [
      [REJECTED, {}],
      [NOT_FOUND, SPENT],
    ],
    kind: 'dead-letter',
    code: 'its own',
  },
  {
    row: 'transient, attempt used',
    given: [
      [SERVER_ERROR, {}],
      [CONFLICT, {}],
      [SERVER_ERROR, { attempt: 4, ageMs: 86_399_999, earlierStarts: 1_000 }],
    ],
    kind: 'retry',
    code: 'its own',
  },
  {
    row: 'transient, attempt used, and it was the last of `MAX_ATTEMPTS`',
    given: [
      [SERVER_ERROR, { attempt: 5 }],
      [CONFLICT, { attempt: 6, ageMs: 86_399_999 }],
    ],
    kind: 'dead-letter',
    code: 'attempts_exhausted',
  },
  {
    row: 'transient, attempt not used',
    given: [
      [THROTTLED, {}],
      [THROTTLED, { attempt: 5, ageMs: 86_399_999, earlierStarts: 1_000 }],
    ],
    kind: 'snooze',
    code: 'its own',
  },
  {
    row: 'transient, and the report is `MAX_AGE_MS` old',
    given: [
      [SERVER_ERROR, { ageMs: 86_400_000 }],
      [THROTTLED, { ageMs: 86_400_000 }],
      [CONFLICT, { ageMs: 86_400_001, attempt: 5 }],
    ],
    kind: 'dead-letter',
    code: 'expired',
  },
  {
    row: 'outage, however long it lasts',
    given: [
      [UNREACHABLE, {}],
      [UNREACHABLE, SPENT],
    ],
    kind: 'snooze',
    code: 'its own',
  },
  {
    row: 'transient and a failure of the circuit, which was open already',
    given: [
      [SERVER_ERROR, { circuitWasOpen: true }],
      [SERVER_ERROR, { ...SPENT, circuitWasOpen: true }],
    ],
    kind: 'snooze',
    code: 'its own',
  },
  {
    row: 'not running',
    given: [
      [NOT_RUNNING, {}],
      [NOT_RUNNING, { ...SPENT, notRunningForMs: 3_599_999 }],
    ],
    kind: 'snooze',
    code: 'its own',
  },
  {
    row: 'not running, for `NOT_RUNNING_MAX_MS` already',
    given: [
      [NOT_RUNNING, { notRunningForMs: 3_600_000 }],
      [NOT_RUNNING, SPENT],
    ],
    kind: 'dead-letter',
    code: 'its own',
  },
  {
    row: 'interrupted',
    given: [
      [INTERRUPTED, {}],
      [INTERRUPTED, SPENT],
    ],
    kind: 'hand-back',
    code: 'none',
  },
];
