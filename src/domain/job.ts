import { createHash } from 'node:crypto';
import type { AnswerSummary } from './answer.ts';
import type { VerdictCode } from './codes.ts';
import type { ErrorReport } from './error-report.ts';
import type { Lineage } from './lineage.ts';

/** One attempt that did not settle its report, as it is kept for the dead letter. */
export interface AttemptRecord extends AnswerSummary {
  /** Counted from 1; several records share a number where an attempt was not used up. */
  readonly attempt: number;
  /** When it began, ISO 8601. */
  readonly at: string;
  readonly code: VerdictCode;
  readonly duration_ms: number;
  /** Which worker made it. */
  readonly worker: string;
}

/** What is remembered of a job between its attempts, and of its earlier lives where it was redriven. */
export interface JobHistory extends Lineage {
  readonly attempts: readonly AttemptRecord[];
  /** When the sync job was first found `pending` or `suspended`, in milliseconds since 1970. */
  readonly not_running_since_ms?: number;
}

export const NO_HISTORY: JobHistory = { attempts: [] };

/** Records kept of one job: an outage of days must not grow its history without end. */
const MAX_RECORDS = 50;

/**
 * The history with one more attempt. An attempt that met the same code as the one before and was not used
 * up replaces it, so that a long outage is one record; beyond `MAX_RECORDS` the oldest but the very first go.
 */
export function withAttempt(history: JobHistory, record: AttemptRecord): JobHistory {
  const last = history.attempts.at(-1);
  const repeats = last?.attempt === record.attempt && last.code === record.code;
  const attempts = [...(repeats ? history.attempts.slice(0, -1) : history.attempts), record];
  if (attempts.length > MAX_RECORDS) attempts.splice(1, attempts.length - MAX_RECORDS);
  return { ...history, attempts };
}

/** One report on its way, as an attempt sees it. */
export interface ReportJob {
  readonly id: string;
  readonly report: ErrorReport;
  /** The attempt that is beginning, counted from 1. */
  readonly attempt: number;
  /** How often it was fetched before, attempts, snoozes and crashes together. */
  readonly earlierStarts: number;
  /** When it was accepted, in milliseconds since 1970. */
  readonly enqueuedAtMs: number;
  readonly history: JobHistory;
}

/** 144 bits: no two reports of any fleet meet by chance, and 24 characters keep keys short. */
const JOB_ID_DIGEST_BYTES = 18;

/**
 * The id of a report's job: the same report has the same id, so that enqueuing it twice is harmless.
 *
 * Sync job ids come from outside, and BullMQ keeps jobs and its own keys (`meta`, `active`, …) in one
 * namespace, so that an id must never be one of theirs: a prefix and a digest cannot be.
 *
 * An idempotency key stands in for the text. It counts within its sync job only, so that a key used for
 * two sync jobs by mistake loses neither report.
 */
export function reportJobId(report: ErrorReport): string {
  const [kind, rest] =
    report.idempotency_key === undefined ? ['text', report.error] : ['key', report.idempotency_key];
  const digest = createHash('sha256')
    // Lengths cannot be confused: JSON quotes each part. Lone surrogates stay distinct as escapes.
    .update(JSON.stringify([kind, report.connector_sync_job_id, rest]))
    .digest()
    .subarray(0, JOB_ID_DIGEST_BYTES);
  return `r-${digest.toString('base64url')}`;
}
