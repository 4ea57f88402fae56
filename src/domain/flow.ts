/** What a fleet did, second by second, in counts that can be added up over workers and over time. */
import { DEAD_LETTER_CODES, type DeadLetterCode } from './codes.ts';
import type { Outcome } from './outcome.ts';

/** How long a bucket is, in milliseconds. */
export const FLOW_BUCKET_MS = 5_000;

/** How long buckets are kept, in milliseconds. */
export const FLOW_KEPT_MS = 3_600_000;

/**
 * One thing that is counted. `delivery:<bound>` counts reports that came to their end within so many
 * milliseconds of their acceptance; `looks` counts how often a worker looked at its circuit, `open` how often
 * it was open.
 */
export type FlowField =
  | 'accepted'
  | 'applied'
  | 'already_applied'
  | 'retry'
  | 'snooze'
  | 'looks'
  | 'open'
  | `dead:${DeadLetterCode}`
  | `delivery:${number}`;

/** The counts of a few seconds. */
export interface FlowBucket {
  /** When it begins, in milliseconds since 1970; a multiple of `FLOW_BUCKET_MS`. */
  readonly atMs: number;
  readonly counts: Readonly<Partial<Record<FlowField, number>>>;
  /** Reports that waited or were delayed, as a worker last saw them. */
  readonly backlog?: number;
}

/** The beginning of the bucket that a moment lies in. */
export function bucketOf(atMs: number): number {
  return Math.floor(atMs / FLOW_BUCKET_MS) * FLOW_BUCKET_MS;
}

/** Steps of the bounds for each doubling: a bound is at most a fifth, or a millisecond, above what it stands for. */
const STEPS_A_DOUBLING = 4;

/** The least bound, of a geometric series, that a time lies within; in milliseconds. */
export function boundOf(ms: number): number {
  if (ms <= 1) return 1;
  return Math.ceil(2 ** (Math.ceil(Math.log2(ms) * STEPS_A_DOUBLING) / STEPS_A_DOUBLING));
}

/**
 * What an attempt counts for.
 *
 * @param ageMs how long ago its report was accepted
 */
export function fieldsOf(outcome: Outcome, ageMs: number): readonly FlowField[] {
  switch (outcome.kind) {
    case 'applied':
      return ['applied', `delivery:${boundOf(ageMs)}`];
    case 'already-applied':
      return ['already_applied', `delivery:${boundOf(ageMs)}`];
    case 'dead-letter':
      return [`dead:${outcome.code}`];
    case 'retry':
    case 'snooze':
      return [outcome.kind];
    case 'hand-back':
      return [];
  }
}

const NAMES: ReadonlySet<string> = new Set([
  ...['accepted', 'applied', 'already_applied', 'retry', 'snooze', 'looks', 'open'],
  ...DEAD_LETTER_CODES.map((code) => `dead:${code}`),
]);

/** Whether a name that was read is one of ours. */
export function isFlowField(name: string): name is FlowField {
  return NAMES.has(name) || /^delivery:\d{1,12}$/.test(name);
}
