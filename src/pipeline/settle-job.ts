import { describeProblems, type ParsedReport, type ParseErrorReport } from '../domain/error-report.ts';
import { buryReport } from './bury-report.ts';
import type { AttemptResult, Payload, QueuedJob, SettleJob } from './ports.ts';
import { type AttemptContext, runAttempt } from './run-attempt.ts';
import { turns } from './take-turns.ts';

/**
 * Makes the function that a worker calls for every job:
 *
 * 1. What is in the queue comes from outside, so the payload is parsed like any other input. What is not a
 *    report becomes a dead letter and no request is made.
 * 2. A job that its worker died on too often becomes a dead letter before anything is tried with it.
 * 3. Anything else is attempted, one report at a time for each sync job.
 */
export function jobSettler(parse: ParseErrorReport, context: AttemptContext): SettleJob {
  const takeTurns = turns();
  return async (job, signal) => {
    const parsed = parsePayload(job.payload, parse);
    if (parsed.kind === 'invalid' || job.poisoned) return bury(job, parsed, context);
    const { report } = parsed;
    return takeTurns(report.connector_sync_job_id, job.enqueuedAtMs, () =>
      runAttempt(job, report, context, signal),
    );
  };
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

async function bury(job: QueuedJob, parsed: ParsedReport, context: AttemptContext): Promise<AttemptResult> {
  const code = job.poisoned ? 'poison' : 'invalid_report';
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
