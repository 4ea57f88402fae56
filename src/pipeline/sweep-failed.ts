import { cutReason } from '../domain/answer.ts';
import type { ParseErrorReport } from '../domain/error-report.ts';
import { buryReport } from './bury-report.ts';
import type { DeadLetterQueue, Log, QueuedJob } from './ports.ts';
import { parsePayload } from './settle-job.ts';

/** Jobs that the queue failed by itself, without asking us. */
export interface FailedJobs {
  /** Some of them, oldest first, or none where there are none. */
  page(): Promise<readonly FailedJob[]>;
  /** Takes one out, for good. Harmless where it is gone. */
  remove(id: string): Promise<void>;
  /** Mends jobs that no worker can even read, so that they come to an end like any other. */
  repairUnreadable(): Promise<readonly string[]>;
}

export interface FailedJob {
  readonly job: QueuedJob;
  /** What the queue noted as the reason. */
  readonly reason: string;
}

export interface SweepContext {
  readonly failedJobs: FailedJobs;
  readonly deadLetters: DeadLetterQueue;
  readonly parse: ParseErrorReport;
  readonly now: () => number;
  readonly worker: string;
  readonly log: Log;
}

/**
 * Makes every failed job a dead letter, so that none rests where nobody looks: those of a worker with other
 * settings, of another tool, or of a crash at the worst moment.
 *
 * The letter is written before the job is removed, so that a crash in between repeats without harm, as do
 * two sweeps at once.
 *
 * @returns how many were found
 */
export async function sweepFailed(context: SweepContext): Promise<number> {
  const { failedJobs, log } = context;
  for (const id of await failedJobs.repairUnreadable()) {
    log.warn({ job_id: id }, 'job options were not JSON; replaced by none');
  }
  let swept = 0;
  for (let page = await failedJobs.page(); page.length > 0; page = await failedJobs.page()) {
    for (const failed of page) {
      await buryFailed(failed, context);
      await failedJobs.remove(failed.job.id);
      swept += 1;
    }
  }
  return swept;
}

async function buryFailed({ job, reason }: FailedJob, context: SweepContext): Promise<void> {
  const parsed = parsePayload(job.payload, context.parse);
  const code = codeOf(job, parsed.kind);
  await buryReport(
    job,
    {
      code,
      attempts_made: job.attempt - 1,
      history: job.history,
      content:
        parsed.kind === 'valid'
          ? { kind: 'report', report: parsed.report }
          : { kind: 'payload', problems: parsed.problems },
      answer: { type: 'failed_by_queue', reason: cutReason(reason) },
    },
    context.deadLetters,
    { nowMs: context.now(), worker: context.worker },
  );
  context.log.warn({ job_id: job.id, code, reason }, 'job failed without an attempt; kept as a dead letter');
}

function codeOf(
  job: QueuedJob,
  parsed: 'valid' | 'invalid',
): 'poison' | 'invalid_report' | 'attempts_exhausted' {
  if (job.poisoned) return 'poison';
  return parsed === 'invalid' ? 'invalid_report' : 'attempts_exhausted';
}
