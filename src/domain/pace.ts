/**
 * How fast a worker sends when the server asks to be spared:
 *
 * 1. Free: no pace is kept.
 * 2. A rejection sets the pace to a little less than the server has lately accepted, but at most halves it,
 *    because a single second may say too little; and at most once a second, because what is under way was
 *    sent at the old pace.
 * 3. Every second without a rejection raises it a little; when nothing has been held back for a while, it is
 *    free again.
 */
export interface PaceState {
  /** Requests a second; Infinity where no pace is kept. */
  readonly perSecond: number;
  /** The second that is being counted. */
  readonly second: number;
  readonly now: Count;
  readonly before: Count;
  /** When the pace was last lowered, in milliseconds. */
  readonly loweredAtMs: number;
  /** When the pace last held a request back, in milliseconds. */
  readonly heldAtMs: number;
  /** When the next request may go out, in milliseconds. */
  readonly nextAtMs: number;
}

interface Count {
  readonly sent: number;
  readonly accepted: number;
}

const NOTHING: Count = { sent: 0, accepted: 0 };

export const FREE_PACE: PaceState = {
  perSecond: Number.POSITIVE_INFINITY,
  second: 0,
  now: NOTHING,
  before: NOTHING,
  loweredAtMs: 0,
  heldAtMs: 0,
  nextAtMs: 0,
};

const BELOW_ACCEPTED = 0.95;
const MOST_LOWERING = 0.5;
const RAISING = 1.04;
const MIN_PER_SECOND = 1;
const FREE_AFTER_MS = 10_000;
const MAX_LATE_MS = 100;

/**
 * Lets a request out, or says how long to wait before asking again, in milliseconds. Nobody is given a place
 * ahead of time, so that a pace that is lowered counts at once for all who wait.
 */
export function askToSend(
  state: PaceState,
  nowMs: number,
): { readonly state: PaceState; readonly waitMs: number } {
  const counted = countSecond(state, nowMs);
  if (nowMs < counted.nextAtMs && Number.isFinite(counted.perSecond)) {
    return { state: { ...counted, heldAtMs: nowMs }, waitMs: Math.ceil(counted.nextAtMs - nowMs) };
  }
  const now = { ...counted.now, sent: counted.now.sent + 1 };
  // Counted on from when it might have gone, or the pace would fall behind by every late timer.
  const fromMs = Math.max(counted.nextAtMs, nowMs - MAX_LATE_MS);
  return { state: { ...counted, now, nextAtMs: fromMs + 1_000 / counted.perSecond }, waitMs: 0 };
}

/** The state after the server took a request. */
export function afterAcceptance(state: PaceState, nowMs: number): PaceState {
  const counted = countSecond(state, nowMs);
  return { ...counted, now: { ...counted.now, accepted: counted.now.accepted + 1 } };
}

/** The state after the server asked to be spared. */
export function afterRejection(state: PaceState, nowMs: number): PaceState {
  if (nowMs - state.loweredAtMs < 1_000) return state;
  const sent = Math.min(state.perSecond, Math.max(state.now.sent, state.before.sent));
  const accepted = Math.max(state.now.accepted, state.before.accepted);
  const perSecond = Math.max(Math.min(accepted * BELOW_ACCEPTED, sent), sent * MOST_LOWERING, MIN_PER_SECOND);
  return { ...state, perSecond, loweredAtMs: nowMs, heldAtMs: nowMs };
}

/** Turns to a new second where it is time, and raises the pace if the last one had no rejection. */
function countSecond(state: PaceState, nowMs: number): PaceState {
  const second = Math.floor(nowMs / 1_000);
  if (second === state.second) return state;
  const before = second === state.second + 1 ? state.now : NOTHING;
  const turned = { ...state, second, now: NOTHING, before };
  if (nowMs - state.loweredAtMs < 1_000) return turned;
  const isFree = nowMs - state.heldAtMs > FREE_AFTER_MS;
  return { ...turned, perSecond: isFree ? Number.POSITIVE_INFINITY : state.perSecond * RAISING };
}
