import type { BackoffPolicy, Random } from './backoff.ts';
import { backoffDelayMs } from './backoff.ts';
import type { DeadLetterCode, VerdictCode } from './codes.ts';
import type { Verdict } from './verdict.ts';

/** What happens to the job now. */
export type Outcome =
  | { readonly kind: 'applied' }
  | { readonly kind: 'already-applied' }
  /** Try again after a wait; this attempt is used up. */
  | { readonly kind: 'retry'; readonly code: VerdictCode; readonly delayMs: number }
  /** Try again after a wait; this attempt was not used up. */
  | { readonly kind: 'snooze'; readonly code: VerdictCode; readonly delayMs: number }
  /** Put it back untouched, at the head of the queue: this worker is stopping. */
  | { readonly kind: 'hand-back' }
  | { readonly kind: 'dead-letter'; readonly code: DeadLetterCode };

/** How long and how often a report is tried. */
export interface RetryPolicy {
  /** Attempts for one report, the first included. */
  readonly maxAttempts: number;
  /** Age at which a transient verdict is the last one, in milliseconds since the report was accepted. */
  readonly maxAgeMs: number;
  readonly backoff: BackoffPolicy;
  /** Bounds of the wait while Elasticsearch cannot be reached. */
  readonly outage: BackoffPolicy;
  /** How long a sync job may stay `pending` or `suspended` before its report is given up, in milliseconds. */
  readonly notRunningMaxMs: number;
  /** How often such a sync job is looked at, in milliseconds. */
  readonly notRunningDelayMs: number;
}

/** What the decision has to know about the job. */
export interface JobState {
  /** The attempt that has just been made, counted from 1. */
  readonly attempt: number;
  /** How often it was fetched before, attempts, snoozes and crashes together. */
  readonly earlierStarts: number;
  readonly ageMs: number;
  /** How long its sync job has been known not to run; 0 at the first sight. */
  readonly notRunningForMs: number;
  /** What the last answer's `Retry-After` asked for, in milliseconds. */
  readonly retryAfterMs: number;
  /** Whether Elasticsearch counted as away already when the attempt was made. */
  readonly circuitWasOpen: boolean;
  /** Whether the worker's retry budget allows for a retry soon. */
  readonly isWithinRetryBudget: boolean;
}

/** A conflict passes as soon as the other writer is done, so that its wait needs only to spread. */
const SHORT_WAIT: BackoffPolicy = { baseMs: 50, capMs: 1_000 };

/** What happens to a job after a verdict. */
export function decideOutcome(verdict: Verdict, job: JobState, policy: RetryPolicy, random: Random): Outcome {
  switch (verdict.kind) {
    case 'applied':
    case 'already-applied':
      return { kind: verdict.kind };
    case 'permanent':
      return { kind: 'dead-letter', code: verdict.code };
    case 'interrupted':
      return { kind: 'hand-back' };
    case 'outage':
      return { kind: 'snooze', code: verdict.code, delayMs: outageDelayMs(job, policy, random) };
    case 'not-running':
      if (job.notRunningForMs >= policy.notRunningMaxMs) return { kind: 'dead-letter', code: verdict.code };
      return { kind: 'snooze', code: verdict.code, delayMs: jittered(policy.notRunningDelayMs, random) };
    case 'transient':
      return decideTransient(verdict, job, policy, random);
  }
}

function decideTransient(
  verdict: Extract<Verdict, { kind: 'transient' }>,
  job: JobState,
  policy: RetryPolicy,
  random: Random,
): Outcome {
  // A failure is no news while the circuit is open, and none of the report's: it is one more of the outage.
  if (job.circuitWasOpen && verdict.circuit === 'failure') {
    return { kind: 'snooze', code: verdict.code, delayMs: outageDelayMs(job, policy, random) };
  }
  if (job.ageMs >= policy.maxAgeMs) return { kind: 'dead-letter', code: 'expired' };
  if (verdict.attemptUsed && job.attempt >= policy.maxAttempts) {
    return { kind: 'dead-letter', code: 'attempts_exhausted' };
  }
  const failures = verdict.attemptUsed ? job.attempt : job.earlierStarts + 1;
  const bounds = verdict.wait === 'short' ? SHORT_WAIT : policy.backoff;
  const waitMs =
    verdict.wait === 'backoff' && !job.isWithinRetryBudget
      ? jittered(policy.backoff.capMs, random)
      : backoffDelayMs(failures, bounds, random);
  const delayMs = Math.max(waitMs, job.retryAfterMs);
  const { code } = verdict;
  return verdict.attemptUsed ? { kind: 'retry', code, delayMs } : { kind: 'snooze', code, delayMs };
}

/**
 * The wait during an outage: grows with the number of times it was met, and never below half its bound, so
 * that a backlog does not hammer what is already down.
 */
function outageDelayMs(job: JobState, policy: RetryPolicy, random: Random): number {
  const { baseMs, capMs } = policy.outage;
  return jittered(Math.min(capMs, baseMs * 2 ** Math.min(job.earlierStarts, 31)), random);
}

/** Between half of a wait and the whole of it, in whole milliseconds. */
function jittered(delayMs: number, random: Random): number {
  return Math.ceil(delayMs / 2 + (random() * delayMs) / 2);
}
