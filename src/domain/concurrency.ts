/**
 * How many attempts a worker makes at once, found out while it works, so that nobody has to guess:
 *
 * 1. It begins at `base`. After an outage it begins at 1 and doubles with every round of successes.
 * 2. Above `base` it grows as long as answers come as fast as they did at their best: by half a round until they
 *    come later for the first time, and by a tenth from then on. When they come later, more requests would only wait
 *    in a longer line, and it shrinks by a tenth.
 * 3. A rejection or a round of failures shrinks it at once, down to 1.
 *
 * The estimate of the line, `limit * (1 - best / now)`, is that of TCP Vegas (Brakmo and Peterson, 1994).
 */
import type { CircuitEffect } from './verdict.ts';

export interface ConcurrencyPolicy {
  /** Where it begins; slow answers alone never bring it below. */
  readonly base: number;
  readonly max: number;
}

export interface ConcurrencyState {
  readonly limit: number;
  /** The best mean latency of a round, slowly forgotten, in milliseconds; 0 where none is known. */
  readonly bestMs: number;
  /** Whether it has never come to where answers come later. */
  readonly isSearching: boolean;
  readonly round: Round;
}

interface Round {
  readonly answers: number;
  readonly totalMs: number;
  readonly failures: number;
  /** Most attempts that were under way at once. */
  readonly peak: number;
}

/** One attempt that ended. */
export interface Sample {
  readonly latencyMs: number;
  readonly effect: CircuitEffect;
  /** Whether the server asked to be spared. */
  readonly throttled: boolean;
  /** Attempts under way when it ended, itself included. */
  readonly inFlight: number;
}

const NEW_ROUND: Round = { answers: 0, totalMs: 0, failures: 0, peak: 0 };

/** Rounds have at least so many answers, or a single slow one would decide. */
const MIN_ROUND = 10;

/** A round with more failures than this share shrinks the limit. */
const FAILURE_SHARE = 0.5;

/**
 * Each second the best latency is forgotten by this share, because servers and data change. Not each round: a server
 * that answers within milliseconds has a hundred of them a second, and its line would grow unseen.
 */
const FORGETTING_PER_SECOND = 0.005;

const SHRINK_ON_REJECTION = 0.7;
const SHRINK_ON_FAILURES = 0.5;
const SHRINK_ON_LATENCY = 0.9;
const SEARCH = 1.5;
const GROWTH = 1.1;

export function initialConcurrency(policy: ConcurrencyPolicy): ConcurrencyState {
  return { limit: Math.min(policy.base, policy.max), bestMs: 0, isSearching: true, round: NEW_ROUND };
}

/** The state with which a worker comes back after an outage: one at a time, and then twice as many a round. */
export function afterOutage(state: ConcurrencyState): ConcurrencyState {
  return { ...state, limit: 1, round: NEW_ROUND };
}

/** The state after an attempt. */
export function afterSample(
  state: ConcurrencyState,
  sample: Sample,
  policy: ConcurrencyPolicy,
): ConcurrencyState {
  if (sample.throttled)
    return {
      ...state,
      limit: shrink(state.limit, SHRINK_ON_REJECTION, 1),
      isSearching: false,
      round: NEW_ROUND,
    };
  if (sample.effect === 'neutral') return state;
  const { round, limit } = state;
  const grown: Round = {
    answers: round.answers + 1,
    totalMs: round.totalMs + tamed(sample.latencyMs, state.bestMs),
    failures: round.failures + (sample.effect === 'failure' ? 1 : 0),
    peak: Math.max(round.peak, sample.inFlight),
  };
  // While it comes back from an outage a round is short: a doubling must not take a thousand answers.
  const roundSize = limit < policy.base ? limit : Math.max(limit, MIN_ROUND);
  return grown.answers < roundSize ? { ...state, round: grown } : afterRound(state, grown, policy);
}

/**
 * A few answers that take a thousand times as long say that something is wrong with them, and not that there is
 * a line: none counts for more than twice the best.
 */
function tamed(latencyMs: number, bestMs: number): number {
  return bestMs === 0 ? latencyMs : Math.min(latencyMs, 2 * bestMs);
}

function afterRound(state: ConcurrencyState, round: Round, policy: ConcurrencyPolicy): ConcurrencyState {
  const { limit } = state;
  if (round.failures > round.answers * FAILURE_SHARE) {
    return { ...state, limit: shrink(limit, SHRINK_ON_FAILURES, 1), round: NEW_ROUND };
  }
  const meanMs = round.totalMs / round.answers;
  const roundMs = (meanMs * round.answers) / limit;
  const forgotten = 1 + (FORGETTING_PER_SECOND * roundMs) / 1_000;
  const bestMs = state.bestMs === 0 ? meanMs : Math.min(meanMs, state.bestMs * forgotten);
  return { ...nextLimit(state, round, bestMs / meanMs, policy), bestMs, round: NEW_ROUND };
}

/** @param share the best latency as a share of the present one, at most 1 */
function nextLimit(
  { limit, isSearching }: ConcurrencyState,
  { peak }: Round,
  share: number,
  policy: ConcurrencyPolicy,
): Pick<ConcurrencyState, 'limit' | 'isSearching'> {
  if (limit < policy.base) return { limit: Math.min(limit * 2, policy.base, policy.max), isSearching };
  // Where the limit is not what holds it back, there is nothing to learn.
  if (peak < limit) return { limit, isSearching };
  const waiting = limit * (1 - share);
  if (waiting < limit * 0.2) {
    const growth = isSearching ? SEARCH : GROWTH;
    return { limit: Math.min(Math.ceil(limit * growth), policy.max), isSearching };
  }
  // The last step of the search was one too many.
  if (isSearching) return { limit: shrink(limit, 1 / SEARCH, policy.base), isSearching: false };
  return {
    limit: waiting > limit * 0.4 ? shrink(limit, SHRINK_ON_LATENCY, policy.base) : limit,
    isSearching,
  };
}

function shrink(limit: number, factor: number, least: number): number {
  return Math.max(Math.min(limit, least), Math.floor(limit * factor), 1);
}
