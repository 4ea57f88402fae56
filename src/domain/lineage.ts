import type { DeadLetterCode } from './codes.ts';
import type { ErrorReport } from './error-report.ts';
import type { AttemptRecord } from './job.ts';

/** What a dead letter takes with it into the queue, so that it is there again if the report dies again. */
export interface Lineage {
  /** How often it was put back into the queue; oldest first. */
  readonly redrives?: readonly Redrive[];
  /** Who edited it; oldest first. */
  readonly edits?: readonly Edit[];
  /** The report as it was accepted, where somebody has edited it since. */
  readonly original?: OriginalReport;
}

/** One return into the queue, with what the letter was before. */
export interface Redrive {
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  /** The redrive run that did it. */
  readonly run: string;
  /** Why it was a dead letter. */
  readonly code: DeadLetterCode;
  /** When it had been accepted, ISO 8601. */
  readonly enqueued_at: string;
  /** When it had become a dead letter, ISO 8601. */
  readonly dead_at: string;
  /** Attempts that had been used up. */
  readonly attempts_made: number;
  /** Those attempts: the first and the last ones, at most `MAX_EARLIER_ATTEMPTS`. */
  readonly attempts: readonly AttemptRecord[];
}

/** One change to the report by a person. */
export interface Edit {
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  /** The report's fields that were changed, added or removed. */
  readonly fields: readonly string[];
}

/** What was accepted, before any edit. */
export interface OriginalReport {
  readonly report: ErrorReport | null;
  /** The payload, where it was no report. */
  readonly payload?: string;
}

/** Attempts kept of each earlier life, so that a lineage stays small in the queue. */
export const MAX_EARLIER_ATTEMPTS = 10;

/** Lives a letter may have: what came back so often does not pass by being sent once more. */
export const MAX_REDRIVES = 100;

/** The first attempt and the last ones. */
export function abridge(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  const [first] = attempts;
  if (first === undefined || attempts.length <= MAX_EARLIER_ATTEMPTS) return attempts;
  return [first, ...attempts.slice(1 - MAX_EARLIER_ATTEMPTS)];
}

/** The lineage alone, out of whatever holds one. */
export function lineageOf({ redrives, edits, original }: Lineage): Lineage {
  return {
    ...(redrives === undefined ? {} : { redrives }),
    ...(edits === undefined ? {} : { edits }),
    ...(original === undefined ? {} : { original }),
  };
}

/** Whether something that lay in the queue, where anybody may write, has the form of a lineage. */
export function isLineage(value: Readonly<Record<string, unknown>>): boolean {
  const { redrives, edits, original } = value;
  return (
    isListOf(redrives, isRedrive) &&
    isListOf(edits, isEdit) &&
    (original === undefined || (isObject(original) && 'report' in original))
  );
}

function isListOf(value: unknown, isItem: (item: Readonly<Record<string, unknown>>) => boolean): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) && value.every((item) => isObject(item) && isItem(item));
}

function isRedrive({ at, by, run, code, attempts }: Readonly<Record<string, unknown>>): boolean {
  // A run's id becomes part of a key.
  const isRun = typeof run === 'string' && /^[\w-]{1,64}$/.test(run);
  return isRun && [at, by, code].every((text) => typeof text === 'string') && Array.isArray(attempts);
}

function isEdit({ at, by, fields }: Readonly<Record<string, unknown>>): boolean {
  return typeof at === 'string' && typeof by === 'string' && Array.isArray(fields);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
