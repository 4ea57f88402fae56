/**
 * What the use cases ask of the world, in the project's own words. Adapters implement these; `app.ts`
 * brings them together.
 */
import type { Answer, AnswerSummary, ReadBack } from '../domain/answer.ts';
import type { DeadLetterCode } from '../domain/codes.ts';
import type { DeadLetter } from '../domain/dead-letter.ts';
import type { DeadLetterFilter } from '../domain/dead-letter-filter.ts';
import type { ErrorReport } from '../domain/error-report.ts';
import type { JobHistory } from '../domain/job.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { TraceIds } from './tracing.ts';

/** Elasticsearch's connector API, as far as a report needs it. Neither method ever rejects. */
export interface ConnectorApi {
  /** Sends the error to the sync job, once. */
  setSyncJobError(connectorSyncJobId: string, error: string, signal: AbortSignal): Promise<Answer>;
  /** Reads what Elasticsearch holds about the sync job, once. */
  readSyncJob(connectorSyncJobId: string, signal: AbortSignal): Promise<ReadBack>;
}

/** Where dead letters are kept. What people do with them is asked of the ports in `dead-letter-ports.ts`. */
export interface DeadLetterQueue {
  /** Keeps a letter. Repeating it changes nothing and says so. */
  add(letter: DeadLetter): Promise<'added' | 'present'>;
  /** A page of letters, newest first. However many there are, a page is found in bounded work. */
  list(query: DeadLetterQuery): Promise<DeadLetterPage>;
  /** One letter, or undefined where there is none with this id. */
  get(id: string): Promise<DeadLetter | undefined>;
  /** How many letters there are of each code; codes without letters are absent. */
  counts(): Promise<DeadLetterCounts>;
}

/** Which letters, and which page of them. */
export interface DeadLetterQuery extends DeadLetterFilter {
  /** Letters to pass over, from the newest; 0 where absent. */
  readonly offset?: number;
  /** Most letters to return. */
  readonly limit: number;
  /** `next` of the page before; the offset does not count then. */
  readonly cursor?: string | undefined;
}

export interface DeadLetterPage {
  /** How many letters match in all. */
  readonly total: number;
  /**
   * There may be more than `total`: several conditions at once, or a text, are looked for letter by letter, and
   * the search has not come to the end.
   */
  readonly isAtLeast?: true;
  readonly letters: readonly DeadLetter[];
  /**
   * Where the next page begins; absent where there is none. A page may hold fewer letters than asked for, or
   * none, and still have a next one: a search stops after so many letters looked at.
   */
  readonly next?: string;
}

export type DeadLetterCounts = Readonly<Partial<Record<DeadLetterCode, number>>>;

/** A report with the id of its job and the time it is accepted at, in milliseconds since 1970. */
export interface IdentifiedReport {
  readonly id: string;
  readonly report: ErrorReport;
  readonly enqueuedAtMs: number;
  /** Where its trace goes on: W3C's headers as JSON. Absent: nobody follows it. */
  readonly trace?: string;
}

/** Where reports wait. */
export interface JobQueue {
  /**
   * Accepts reports, in their order, and says of each whether it was new.
   *
   * @throws {Error} where the queue cannot be reached in time; whether they were accepted is then unknown,
   * and repeating the call is harmless
   */
  add(reports: readonly IdentifiedReport[]): Promise<readonly ('queued' | 'duplicate')[]>;
  /** How the queue stands now. */
  depth(): Promise<QueueDepth>;
  /**
   * Keeps every worker from taking reports until somebody resumes, whatever restarts meanwhile. What is under way
   * is finished, and reports are accepted as before. Repeating it changes nothing, and the first note stays.
   */
  pause(note: PauseNote): Promise<PauseResult>;
  /** Lets workers take reports again. Repeating it changes nothing and says so. */
  resume(): Promise<ResumeResult>;
}

/** Who paused the queue, when and what for. */
export interface PauseNote {
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
  readonly reason?: string;
}

export type PauseResult =
  | { readonly status: 'paused' }
  /** With the note of whoever did it, unless it was done by other means. */
  | { readonly status: 'already-paused'; readonly note?: PauseNote };

export type ResumeResult =
  | { readonly status: 'resumed'; readonly note?: PauseNote }
  | { readonly status: 'not-paused' };

export interface QueueDepth {
  /** Reports that can be taken at once. */
  readonly waiting: number;
  /** Reports an attempt is being made for. */
  readonly active: number;
  /** Reports that wait for a later attempt. */
  readonly delayed: number;
  /** How long the oldest waiting report has waited, in milliseconds; 0 where none waits. */
  readonly oldestWaitingMs: number;
  /** Whether somebody paused the queue. */
  readonly paused: boolean;
  /** By whom; absent where it is not paused, or was by other means. */
  readonly pause?: PauseNote;
}

/** What a queue has taken in, and whether all of it is somewhere. */
export interface QueueAccount {
  /** Reports that were new when a producer of ours handed them over. */
  readonly accepted: number;
  /** Dead letters that became reports again. */
  readonly redriven: number;
  /**
   * Of these, how many neither wait nor have come to their end; 0 where nothing was lost. Below 0, others than our
   * producers have put so many into the queue.
   */
  readonly unaccounted: number;
}

/** A job as the queue hands it over: its payload comes from outside and may be anything. */
export interface QueuedJob {
  readonly id: string;
  readonly payload: Payload;
  /** The attempt that is beginning, counted from 1. */
  readonly attempt: number;
  /** How often it was fetched before, attempts, snoozes and crashes together. */
  readonly earlierStarts: number;
  /** When it was accepted, in milliseconds since 1970. */
  readonly enqueuedAtMs: number;
  readonly history: JobHistory;
  /** How often it was under way when its worker died or was cut off, since it last was not. */
  readonly crashes: number;
  /** Where its trace goes on, as its producer wrote it; may be anything. */
  readonly trace?: string;
}

export type Payload =
  | { readonly kind: 'json'; readonly value: unknown }
  /** Not JSON at all; the text as it was found. */
  | { readonly kind: 'text'; readonly text: string };

/** What an attempt came to. */
export interface AttemptResult {
  readonly outcome: Outcome;
  /** What the next attempt has to remember. */
  readonly history: JobHistory;
  /** What the server or the network said last, where the outcome is not a plain success. */
  readonly answer?: AnswerSummary;
  /** Whether the dead letter was there before: an earlier attempt wrote it and crashed. */
  readonly letterWasPresent?: boolean;
  /** The span of the attempt, where somebody follows it. */
  readonly trace?: TraceIds;
}

/** Settles one job as far as one attempt can. Never rejects but for a fault that no retry can pass. */
export type SettleJob = (job: QueuedJob, signal: AbortSignal) => Promise<AttemptResult>;

/** One attempt, told once its outcome is certain, that is when the queue has recorded it. */
export interface AttemptEvent {
  readonly job: QueuedJob;
  readonly result: AttemptResult;
  /** How long the attempt took, in milliseconds. */
  readonly durationMs: number;
}

export type ObserveAttempt = (event: AttemptEvent) => void;

/** Says to the operator what happens. Fields first, then one short sentence. */
export interface Log {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}
