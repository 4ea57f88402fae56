import { cutReason } from '../domain/answer.ts';
import { type Random, retryAfterMs } from '../domain/backoff.ts';
import type { VerdictCode } from '../domain/codes.ts';
import type { ErrorReport } from '../domain/error-report.ts';
import { type JobHistory, withAttempt } from '../domain/job.ts';
import { lineageOf } from '../domain/lineage.ts';
import { decideOutcome, type RetryPolicy } from '../domain/outcome.ts';
import { type Verdict, WORKER_ERROR } from '../domain/verdict.ts';
import { buryReport } from './bury-report.ts';
import { type Delivery, deliverError } from './deliver-error.ts';
import type { Gate } from './gate.ts';
import type { AttemptResult, ConnectorApi, DeadLetterQueue, QueuedJob } from './ports.ts';
import type { ReadBackInDoubt } from './read-back.ts';

/** What an attempt works with. */
export interface AttemptContext {
  readonly api: ConnectorApi;
  readonly gate: Pick<Gate, 'enter' | 'note'>;
  readonly readBackInDoubt: ReadBackInDoubt;
  readonly deadLetters: DeadLetterQueue;
  readonly policy: RetryPolicy;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds and parts of them, on a clock that never goes back: a fast server answers within one. */
  readonly clock: () => number;
  readonly random: Random;
  /** This worker's name, as dead letters and histories show it. */
  readonly worker: string;
}

/**
 * One attempt for one report:
 *
 * 1. Wait at the gate until requests may go out.
 * 2. Send the error and read what was said, until there is a verdict.
 * 3. Decide what happens to the job.
 * 4. Where that is a dead letter, write it. The queue finishes the job afterwards, not before.
 */
export async function runAttempt(
  job: QueuedJob,
  report: ErrorReport,
  context: AttemptContext,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const { gate } = context;
  const passed = gate.enter(signal);
  if (passed !== 'go' && (await passed) === 'interrupted')
    return { outcome: { kind: 'hand-back' }, history: job.history };
  const startedAtMs = context.now();
  const sentAtMs = context.clock();
  const delivery = await deliver(report, context, signal);
  const latencyMs = context.clock() - sentAtMs;
  const nowMs = context.now();
  const askedToWaitMs = retryAfterMs(delivery.retryAfter, nowMs);
  const noted = gate.note({
    attempt: job.attempt,
    verdict: delivery.verdict,
    latencyMs,
    retryAfterMs: askedToWaitMs,
  });

  const history = remember(job, delivery, { startedAtMs, nowMs, worker: context.worker });
  const outcome = decideOutcome(
    delivery.verdict,
    {
      attempt: job.attempt,
      earlierStarts: job.earlierStarts,
      ageMs: nowMs - job.enqueuedAtMs,
      notRunningForMs: nowMs - (history.not_running_since_ms ?? nowMs),
      retryAfterMs: askedToWaitMs,
      ...noted,
    },
    context.policy,
    context.random,
  );
  const result = { outcome, history, answer: delivery.answer };
  if (outcome.kind !== 'dead-letter') return result;

  const written = await buryReport(
    job,
    {
      code: outcome.code,
      attempts_made: job.attempt,
      history,
      content: { kind: 'report', report },
      answer: delivery.answer,
      ...(delivery.found === undefined ? {} : { found: delivery.found }),
    },
    context.deadLetters,
    { nowMs, worker: context.worker },
  );
  return { ...result, letterWasPresent: written === 'present' };
}

/** A fault of our own must not stop the worker, nor be tried for ever: it is an attempt that failed. */
function deliver(
  report: ErrorReport,
  { api, clock, readBackInDoubt }: AttemptContext,
  signal: AbortSignal,
): Promise<Delivery> {
  return deliverError(report, api, signal, clock, readBackInDoubt).catch((error: unknown) => ({
    verdict: WORKER_ERROR,
    answer: { type: 'worker_error', reason: cutReason(String(error)) },
  }));
}

function remember(
  job: QueuedJob,
  { verdict, answer }: Delivery,
  at: { readonly startedAtMs: number; readonly nowMs: number; readonly worker: string },
): JobHistory {
  const code = codeOf(verdict);
  if (code === undefined) return job.history;
  const { attempts } = withAttempt(job.history, {
    attempt: job.attempt,
    at: new Date(at.startedAtMs).toISOString(),
    code,
    ...answer,
    duration_ms: at.nowMs - at.startedAtMs,
    worker: at.worker,
  });
  const history = { ...lineageOf(job.history), attempts };
  if (verdict.kind !== 'not-running') return history;
  return { ...history, not_running_since_ms: job.history.not_running_since_ms ?? at.nowMs };
}

function codeOf(verdict: Verdict): VerdictCode | undefined {
  return 'code' in verdict ? verdict.code : undefined;
}
