/**
 * Why a report is not settled yet, or never will be. One vocabulary for logs, metrics, dead letters,
 * filters and docs; docs/job-lifecycle.md explains each.
 */
export const VERDICT_CODES = [
  'ambiguous',
  'cluster_block',
  'conflict',
  'idle_cleanup',
  'invalid_report',
  'misrouted',
  'not_running',
  'poison',
  'rejected',
  'server_error',
  'superseded',
  'sync_job_not_found',
  'terminal_state',
  'throttled',
  'tls',
  'too_large',
  'unauthorized',
  'unreachable',
  'worker_error',
] as const;

export type VerdictCode = (typeof VERDICT_CODES)[number];

/** Why a report is among the dead letters. */
export const DEAD_LETTER_CODES = [
  'attempts_exhausted',
  'expired',
  'idle_cleanup',
  'invalid_report',
  'not_running',
  'poison',
  'rejected',
  'superseded',
  'sync_job_not_found',
  'terminal_state',
  'too_large',
] as const;

export type DeadLetterCode = (typeof DEAD_LETTER_CODES)[number];
