import { DEAD_LETTER_REASONS, type DeadLetter, deadLetterId } from '../domain/dead-letter.ts';
import type { ErrorReport, ReportProblem } from '../domain/error-report.ts';
import type { JobHistory } from '../domain/job.ts';
import { lineageOf } from '../domain/lineage.ts';
import { payloadText } from './payload-text.ts';
import type { DeadLetterQueue, QueuedJob } from './ports.ts';

/** What is known about a report that is given up, beside its job. */
export type Findings = Pick<DeadLetter, 'code' | 'attempts_made'> &
  Partial<Pick<DeadLetter, 'answer' | 'found'>> & {
    readonly history: JobHistory;
    readonly content: LetterContent;
  };

/** A letter carries the report, or the payload that was none. */
export type LetterContent =
  | { readonly kind: 'report'; readonly report: ErrorReport }
  | { readonly kind: 'payload'; readonly problems: readonly ReportProblem[] };

/**
 * Writes the dead letter of a job. It is written before the job is finished, and repeating it changes
 * nothing, so that a crash between the two repeats without harm. What the report brought with it from an
 * earlier life as a dead letter is in it again.
 */
export async function buryReport(
  job: Pick<QueuedJob, 'id' | 'payload' | 'enqueuedAtMs'>,
  findings: Findings,
  deadLetters: DeadLetterQueue,
  at: { readonly nowMs: number; readonly worker: string },
): Promise<'added' | 'present'> {
  const { content, history, ...rest } = findings;
  return deadLetters.add({
    id: deadLetterId(job.id),
    ...rest,
    reason: DEAD_LETTER_REASONS[findings.code],
    ...(content.kind === 'report'
      ? { report: content.report }
      : { report: null, payload: payloadText(job.payload), problems: content.problems }),
    attempts: history.attempts,
    enqueued_at: new Date(job.enqueuedAtMs).toISOString(),
    dead_at: new Date(at.nowMs).toISOString(),
    worker: at.worker,
    redrives: [],
    ...lineageOf(history),
  });
}
