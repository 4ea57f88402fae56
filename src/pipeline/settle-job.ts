import { describeProblems, type ParsedReport, type ParseErrorReport } from '../domain/error-report.ts';
import { buryReport } from './bury-report.ts';
import { isolation } from './isolate.ts';
import type { AttemptResult, Payload, QueuedJob, SettleJob } from './ports.ts';
import { type AttemptContext, runAttempt } from './run-attempt.ts';
import { turns } from './take-turns.ts';

/** What is remembered of jobs that a worker died on. */
export interface Suspects {
  /** Notes that a suspect is about to be tried, and says how often it was, this time included. */
  noteTrial(jobId: string): Promise<number>;
  /** Forgets that it was suspected: it was tried and nobody died. */
  clear(jobId: string): Promise<void>;
}

export interface SettleContext extends AttemptContext {
  readonly suspects: Suspects;
  /** How often workers may die on a job before it is given up as poison. */
  readonly maxCrashes: number;
}

/**
 * Makes the function that a worker calls for every job:
 *
 * 1. What is in the queue comes from outside, so the payload is parsed like any other input. What is not a
 *    report becomes a dead letter and no request is made.
 * 2. A job that was under way when a worker died is tried alone, and each trial is counted before it begins:
 *    the one that kills is found out, and its neighbours are not taken for it.
 * 3. Anything else is attempted, one report at a time for each sync job.
 */
export function jobSettler(parse: ParseErrorReport, context: SettleContext): SettleJob {
  const takeTurns = turns();
  const { together, alone } = isolation();
  const { suspects, maxCrashes } = context;

  return async (job, signal) => {
    if (job.poisoned) return bury(job, parsePayload(job.payload, parse), 'poison', context);
    return job.crashes === 0 ? together(() => settle(job, signal)) : alone(() => settleSuspect(job, signal));
  };

  async function settle(job: QueuedJob, signal: AbortSignal): Promise<AttemptResult> {
    const parsed = parsePayload(job.payload, parse);
    if (parsed.kind === 'invalid') return bury(job, parsed, 'invalid_report', context);
    const { report } = parsed;
    return takeTurns(report.connector_sync_job_id, job.enqueuedAtMs, () =>
      runAttempt(job, report, context, signal),
    );
  }

  async function settleSuspect(job: QueuedJob, signal: AbortSignal): Promise<AttemptResult> {
    const trials = await suspects.noteTrial(job.id);
    // The first crash was not a trial: the job was one of many then.
    if (trials >= maxCrashes) return bury(job, parsePayload(job.payload, parse), 'poison', context);
    const result = await settle(job, signal);
    if (isOver(result)) return result;
    await suspects.clear(job.id);
    return result;
  }
}

/** Whether the job goes away with all that was noted of it. */
function isOver({ outcome }: AttemptResult): boolean {
  return outcome.kind === 'applied' || outcome.kind === 'already-applied' || outcome.kind === 'dead-letter';
}

/** Reads a payload as it lies in the queue. */
export function parsePayload(payload: Payload, parse: ParseErrorReport): ParsedReport {
  if (payload.kind === 'json') return parse(payload.value);
  return {
    kind: 'invalid',
    problems: [
      {
        field: '',
        expected: 'a JSON object',
        got: `text that is not JSON (${payload.text.length} characters)`,
      },
    ],
  };
}

async function bury(
  job: QueuedJob,
  parsed: ParsedReport,
  code: 'poison' | 'invalid_report',
  context: AttemptContext,
): Promise<AttemptResult> {
  const written = await buryReport(
    job,
    {
      code,
      // The attempt that is beginning is not made.
      attempts_made: job.attempt - 1,
      history: job.history,
      content:
        parsed.kind === 'valid'
          ? { kind: 'report', report: parsed.report }
          : { kind: 'payload', problems: parsed.problems },
    },
    context.deadLetters,
    { nowMs: context.now(), worker: context.worker },
  );
  return {
    outcome: { kind: 'dead-letter', code },
    history: job.history,
    ...(parsed.kind === 'invalid' ? { answer: { reason: describeProblems(parsed.problems) } } : {}),
    letterWasPresent: written === 'present',
  };
}
