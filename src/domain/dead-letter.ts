import type { AnswerSummary, SyncJobStatus } from './answer.ts';
import type { DeadLetterCode } from './codes.ts';
import type { ErrorReport, ReportProblem } from './error-report.ts';
import type { AttemptRecord } from './job.ts';
import type { Edit, OriginalReport, Redrive } from './lineage.ts';

export type { Edit, OriginalReport, Redrive } from './lineage.ts';

/**
 * A report that is not tried again by itself, with all that somebody needs to act on it. The names are the
 * same in TypeScript, in Redis and in `--json`.
 */
export interface DeadLetter {
  /** `d-` and the job's id, so that writing the same letter twice leaves one. */
  readonly id: string;
  readonly code: DeadLetterCode;
  /** One sentence: why it is here. */
  readonly reason: string;
  /** The report in full, or null where the payload was none. */
  readonly report: ErrorReport | null;
  /** The payload as it was found, where it was no report. */
  readonly payload?: string;
  /** What is wrong with the payload, where it was no report. */
  readonly problems?: readonly ReportProblem[];
  /** The last answer, where there was one. */
  readonly answer?: AnswerSummary;
  /** What Elasticsearch held about the sync job, where it was read back. */
  readonly found?: FoundSyncJob;
  /** Attempts used up. */
  readonly attempts_made: number;
  /** The attempts that did not settle it, oldest first. */
  readonly attempts: readonly AttemptRecord[];
  /** When the report was accepted, ISO 8601. */
  readonly enqueued_at: string;
  /** When it became a dead letter, ISO 8601. */
  readonly dead_at: string;
  /** The worker that gave it up. */
  readonly worker: string;
  /** The report as it was accepted, where somebody has edited it since. */
  readonly original?: OriginalReport;
  /** Who edited it, when and which fields; oldest first. Absent where nobody did. */
  readonly edits?: readonly Edit[];
  /** How often, when and by whom it was put back into the queue; oldest first. */
  readonly redrives: readonly Redrive[];
}

/** What a sync job was found to be, its text cut to `MAX_REASON_CHARACTERS`. */
export interface FoundSyncJob {
  readonly status: SyncJobStatus;
  readonly error?: string;
}

/** The letter's id for a job's id. */
export const deadLetterId = (jobId: string): string => `d-${jobId}`;

/** What each code says to the person who reads the letter. */
export const DEAD_LETTER_REASONS: Readonly<Record<DeadLetterCode, string>> = {
  attempts_exhausted: 'Every attempt failed for a passing reason; see its attempts.',
  expired: 'It grew too old while it waited for a passing reason to pass.',
  idle_cleanup: "The connector service's idle check had already marked the sync job as failed.",
  invalid_report: 'The payload is not an error report.',
  not_running: 'The sync job stayed pending or suspended, which no error can be set on.',
  poison: 'The worker process died on it too often.',
  rejected: 'Elasticsearch refused it as invalid.',
  superseded: 'The sync job already holds another error.',
  sync_job_not_found: 'No sync job has this id.',
  terminal_state: 'The sync job had already ended as completed or canceled.',
  too_large: 'Too large for something between here and Elasticsearch, even shortened.',
};

/** What can be done about each code, in one sentence for the person who reads the letter. */
export const DEAD_LETTER_ADVICE: Readonly<Record<DeadLetterCode, string>> = {
  attempts_exhausted: 'Redrive it once Elasticsearch is well again; its attempts say what was wrong.',
  expired: 'Redrive it once what it waited for is over; it then starts with a fresh age.',
  idle_cleanup:
    'Purge it when you have read its text; a sync job that has failed keeps its error, and Elasticsearch takes no second one.',
  invalid_report: 'Edit it into a report, then redrive it; and mend its producer.',
  not_running: 'Redrive it when its sync job runs; purge it where the sync job will never run.',
  poison: 'Find out first why the workers died, then redrive it alone.',
  rejected: 'Edit what the answer complains of, then redrive it.',
  superseded:
    'Compare both texts, then purge it; a sync job that has failed keeps its error, and Elasticsearch takes no second one.',
  sync_job_not_found:
    'Edit connector_sync_job_id where it is wrong, then redrive it; purge it where the sync job was deleted.',
  terminal_state: 'Purge it when you have read its text; a sync job that has ended takes no error any more.',
  too_large:
    'Raise the limit of the proxy on the way to Elasticsearch, then redrive it; or shorten its error by an edit.',
};
