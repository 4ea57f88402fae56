/** The public surface of sync-error-relay. */
export { RedisUnsuitable } from './adapters/bullmq/check-redis.ts';
export { RedisUnavailable } from './adapters/bullmq/connect-redis.ts';
export type { Durability } from './adapters/bullmq/durability.ts';
export type { QueueNames } from './adapters/bullmq/names.ts';
export type { WorkerOptions } from './adapters/bullmq/report-worker.ts';
export type { ElasticsearchOptions } from './adapters/elasticsearch/connector-api.ts';
export { createLog, silentLog } from './adapters/observe/create-log.ts';
export type { LogLevel } from './adapters/observe/log-level.ts';
export { type App, type AppOverrides, createApp } from './app.ts';
export { type Config, ConfigInvalid, type ConfigProblem, type Environment, readConfig } from './config.ts';
export { type DeadLetters, type RedriveHooks, RedriveRefused } from './dead-letters.ts';
export type { AnswerSummary, SyncJobStatus } from './domain/answer.ts';
export {
  DEAD_LETTER_CODES,
  type DeadLetterCode,
  VERDICT_CODES,
  type VerdictCode,
} from './domain/codes.ts';
export type { DeadLetter, Edit, FoundSyncJob, OriginalReport, Redrive } from './domain/dead-letter.ts';
export type { DeadLetterFilter } from './domain/dead-letter-filter.ts';
export {
  describeProblems,
  type ErrorReport,
  type ParsedReport,
  type ReportLimits,
  type ReportProblem,
} from './domain/error-report.ts';
export type { AttemptRecord, JobHistory } from './domain/job.ts';
export type { Outcome, RetryPolicy } from './domain/outcome.ts';
export { MAX_STORED_ERROR_BYTES, shortenError } from './domain/shorten-error.ts';
export type { AuditEntry, LetterTotals } from './pipeline/dead-letter-ports.ts';
export type { EditResult } from './pipeline/edit-dead-letter.ts';
export type { EnqueueResult } from './pipeline/enqueue-reports.ts';
export type { GatePolicy, GateSnapshot } from './pipeline/gate.ts';
export type { FoundJob, Whereabouts } from './pipeline/locate-report.ts';
export type { JsonPatch } from './pipeline/patch-report.ts';
export type {
  AttemptEvent,
  AttemptResult,
  DeadLetterCounts,
  DeadLetterPage,
  DeadLetterQuery,
  Log,
  ObserveAttempt,
  PauseNote,
  PauseResult,
  QueueAccount,
  QueueDepth,
  QueuedJob,
  ResumeResult,
} from './pipeline/ports.ts';
export type { RedrivePreview } from './pipeline/preview-redrive.ts';
export {
  MAX_REDRIVE_RATE,
  REDRIVE_DEFAULTS,
  REDRIVE_VERDICTS,
  type RedriveOptions,
  type RedriveRun,
  type RedriveVerdict,
} from './pipeline/redrive-ports.ts';
export { openRelay, type Relay } from './relay.ts';
