import { cutReason } from '../domain/answer.ts';
import type { ParseErrorReport } from '../domain/error-report.ts';
import { buryReport } from './bury-report.ts';
import type { DeadLetterQueue, Log, QueuedJob } from './ports.ts';
import { type Bundles, breakUp, type QueuedBundle } from './settle-bundle.ts';
import { parsePayload } from './settle-job.ts';

/** Jobs that the queue failed by itself, without asking us. */
export interface FailedJobs {
  /**
   * Some of them, oldest first, or none where there are no more.
   *
   * @param skip how many of the oldest to pass over
   */
  page(skip: number): Promise<readonly FailedJob[]>;
  /** Takes one out, for good. Harmless where it is gone. */
  remove(id: string): Promise<void>;
}

export interface FailedJob {
  readonly job: QueuedJob;
  /** What the queue noted as the reason. */
  readonly reason: string;
  /** Whether it was failed because its worker died on it too often, by the count of whoever failed it. */
  readonly isPoison: boolean;
  /** What it holds, where it is a bundle. */
  readonly bundle?: QueuedBundle;
}

/** Jobs in a form that no worker can settle. */
export interface BrokenJobs {
  /** Mends what can be mended, so that it comes to an end like any other; says what was done to which. */
  mend(): Promise<readonly Mended[]>;
}

export interface Mended {
  readonly jobId: string;
  readonly what: string;
}

export interface SweepContext {
  readonly failedJobs: FailedJobs;
  readonly brokenJobs: BrokenJobs;
  readonly bundles: Bundles;
  readonly deadLetters: DeadLetterQueue;
  readonly parse: ParseErrorReport;
  readonly now: () => number;
  readonly worker: string;
  readonly log: Log;
}

/**
 * Sees to jobs that would rest where nobody looks: mends broken ones, and makes every failed one a dead
 * letter, those of a worker with other settings, of another tool, or of a crash at the worst moment. The reports
 * of a failed bundle become jobs of their own: none of them was judged.
 *
 * The letter is written before the job is removed, so that a crash in between repeats without harm, as do
 * two sweeps at once. A job that cannot be swept stops no other, and is tried again with the next sweep.
 *
 * @returns how many became dead letters
 */
export async function sweepFailed(context: SweepContext): Promise<number> {
  const { failedJobs, brokenJobs, bundles, log } = context;
  for (const { jobId, what } of await brokenJobs.mend())
    log.warn({ job_id: jobId, what }, 'broken job mended');
  for (const bundleId of await bundles.forgetGone())
    log.warn({ job_id: bundleId }, 'bundle is gone from the queue, by other means than ours; forgotten');
  let swept = 0;
  let left = 0;
  for (let page = await failedJobs.page(0); page.length > 0; page = await failedJobs.page(left)) {
    for (const failed of page) {
      try {
        if (failed.bundle === undefined) {
          await buryFailed(failed, context);
          swept += 1;
        } else {
          await breakUp(failed.bundle, context.bundles);
        }
        await failedJobs.remove(failed.job.id);
      } catch (error) {
        left += 1;
        log.warn(
          { job_id: failed.job.id, error: String(error) },
          'failed job could not be swept; it will be tried again',
        );
      }
    }
  }
  return swept;
}

async function buryFailed({ job, reason, isPoison }: FailedJob, context: SweepContext): Promise<void> {
  const parsed = parsePayload(job.payload, context.parse);
  const code = codeOf(isPoison, parsed.kind);
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
  isPoison: boolean,
  parsed: 'valid' | 'invalid',
): 'poison' | 'invalid_report' | 'attempts_exhausted' {
  if (isPoison) return 'poison';
  return parsed === 'invalid' ? 'invalid_report' : 'attempts_exhausted';
}
