import type { AnswerSummary, SyncJobStatus } from './answer.ts';
import type { DeadLetterCode } from './codes.ts';
import type { ErrorReport, ReportProblem } from './error-report.ts';
import type { AttemptRecord } from './job.ts';

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
  /** How often, when and by whom it was put back into the queue; oldest first. */
  readonly redrives: readonly Redrive[];
}

/** What a sync job was found to be, its text cut to `MAX_REASON_CHARACTERS`. */
export interface FoundSyncJob {
  readonly status: SyncJobStatus;
  readonly error?: string;
}

export interface Redrive {
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  readonly code: DeadLetterCode;
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
