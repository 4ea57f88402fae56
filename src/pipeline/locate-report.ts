import type { DeadLetter } from '../domain/dead-letter.ts';
import { deadLetterId } from '../domain/dead-letter.ts';

/** A job that is in the queue, and how it stands there. */
export interface FoundJob {
  readonly state: 'waiting' | 'active' | 'delayed' | 'failed';
  readonly enqueuedAtMs: number;
  /** Attempts used up. */
  readonly attemptsMade: number;
  /** The code of its last attempt. */
  readonly lastCode?: string;
  /** When the next attempt is due, where it is delayed. */
  readonly dueAtMs?: number;
}

/** Where a report is. */
export type Whereabouts =
  | { readonly kind: 'in-queue'; readonly job: FoundJob }
  | { readonly kind: 'dead'; readonly letter: DeadLetter }
  /** Nothing is left of it, or it was never accepted: an applied report leaves nothing behind. */
  | { readonly kind: 'gone' };

export interface LocateContext {
  findJob(id: string): Promise<FoundJob | undefined>;
  findLetter(id: string): Promise<DeadLetter | undefined>;
}

/**
 * Finds out where the report with this job id is now.
 *
 * A letter is written before its job ends, and a redrive makes the job as the letter goes: looking at the job
 * before and after the letter misses neither.
 */
export async function locateReport(id: string, { findJob, findLetter }: LocateContext): Promise<Whereabouts> {
  const before = await findJob(id);
  if (before !== undefined && before.state !== 'failed') return { kind: 'in-queue', job: before };
  const letter = await findLetter(deadLetterId(id));
  if (letter !== undefined) return { kind: 'dead', letter };
  const after = before ?? (await findJob(id));
  return after === undefined ? { kind: 'gone' } : { kind: 'in-queue', job: after };
}
