/**
 * How fast a worker sends when the server asks to be spared:
 *
 * 1. Free: no pace is kept.
 * 2. A rejection lowers the pace by a fifth at least, further where the server took less, by half at most; and
 *    then not again for a while, because what is under way was sent at the old pace.
 * 3. While it holds requests back it is raised, by a share of itself for each request and never by much a
 *    second: a slow worker learns of its rejections late, and must not have run far ahead by then.
 * 4. The longer nothing is rejected, in time and in requests, the faster it is raised, as in CUBIC (RFC 9438):
 *    with care around the last rejection, and quickly once the limit is plainly gone. When nothing has been held
 *    back for a while, it is free again.
 *
 * Every worker keeps its own; that of a fleet is their sum, and needs no word between them.
 */
export interface PaceState {
  /** Requests a second; Infinity where no pace is kept. */
  readonly perSecond: number;
  /** What is being counted, and what was counted before it. */
  readonly now: Count;
  readonly before: Count;
  /** Requests taken since the last rejection. */
  readonly taken: number;
  /** When the server last rejected, in milliseconds. */
  readonly rejectedAtMs: number;
  /** When the pace was last lowered, in milliseconds. */
  readonly loweredAtMs: number;
  /** When the pace was last raised or lowered, in milliseconds. */
  readonly changedAtMs: number;
  /** When the pace last held a request back, in milliseconds. */
  readonly heldAtMs: number;
  /** When the next request may go out, in milliseconds. */
  readonly nextAtMs: number;
}

/** Requests since a moment: for a second at the least, and so many that their shares say something. */
interface Count {
  readonly fromMs: number;
  readonly sent: number;
  readonly accepted: number;
  readonly rejected: number;
}

const NOTHING: Count = { fromMs: 0, sent: 0, accepted: 0, rejected: 0 };

export const FREE_PACE: PaceState = {
  perSecond: Number.POSITIVE_INFINITY,
  now: NOTHING,
  before: NOTHING,
  taken: 0,
  rejectedAtMs: 0,
  loweredAtMs: 0,
  changedAtMs: 0,
  heldAtMs: 0,
  nextAtMs: 0,
};

const MIN_PER_SECOND = 0.1;

const LEAST_LOWERING = 0.8;
const MOST_LOWERING = 0.5;
const BELOW_ACCEPTED = 0.97;
/** As many requests count as taken beside those that were: a single rejection says little of a share. */
const PRESUMED_ACCEPTED = 8;
/** The pace is lowered once in so many requests, and once a second at most. */
const REQUESTS_BETWEEN_LOWERINGS = 3;

const RAISING_A_REQUEST = 0.01;
const RAISING_A_SECOND = 0.03;
const MOST_RAISING = 1;
/** A limit counts as gone the more, the more often so many requests, and so long a time, passed without a rejection. */
const CAREFUL_REQUESTS = 40;
const CAREFUL_MS = 8_000;
const HASTE_POWER = 3;

const COUNTED_MS = 1_000;
const COUNTED_REQUESTS = 10;
const FREE_AFTER_MS = 10_000;
const MAX_LATE_MS = 100;
const MAX_WAIT_MS = 1_000;

/**
 * Lets a request out, or says how long to wait before asking again, in milliseconds. Nobody is given a place
 * ahead of time, so that a pace that is lowered counts at once for all who wait.
 */
export function askToSend(
  state: PaceState,
  nowMs: number,
): { readonly state: PaceState; readonly waitMs: number } {
  const counted = onTime(state, nowMs);
  if (nowMs < counted.nextAtMs && Number.isFinite(counted.perSecond)) {
    const waitMs = Math.min(Math.ceil(counted.nextAtMs - nowMs), MAX_WAIT_MS);
    return { state: { ...counted, heldAtMs: nowMs }, waitMs };
  }
  const now = { ...counted.now, sent: counted.now.sent + 1 };
  // Counted on from when it might have gone, or the pace would fall behind by every late timer.
  const fromMs = Math.max(counted.nextAtMs, nowMs - MAX_LATE_MS);
  return { state: { ...counted, now, nextAtMs: fromMs + 1_000 / counted.perSecond }, waitMs: 0 };
}

/** The state after the server took a request. */
export function afterAcceptance(state: PaceState, nowMs: number): PaceState {
  const counted = onTime(state, nowMs);
  const now = { ...counted.now, accepted: counted.now.accepted + 1 };
  return { ...counted, now, taken: counted.taken + 1 };
}

/** The state after the server asked to be spared. */
export function afterRejection(state: PaceState, nowMs: number): PaceState {
  const counted = onTime(state, nowMs);
  const now = { ...counted.now, rejected: counted.now.rejected + 1 };
  const rejected: PaceState = { ...counted, now, taken: 0, rejectedAtMs: nowMs };
  if (nowMs - state.loweredAtMs < betweenLoweringsMs(state)) return rejected;
  return {
    ...rejected,
    perSecond: Math.max(reachedPerSecond(rejected, nowMs) * lowering(rejected), MIN_PER_SECOND),
    // What was counted was sent at the old pace.
    now: { ...NOTHING, fromMs: nowMs },
    before: NOTHING,
    loweredAtMs: nowMs,
    changedAtMs: nowMs,
    heldAtMs: nowMs,
  };
}

function betweenLoweringsMs({ perSecond }: PaceState): number {
  return Math.max(1_000, (REQUESTS_BETWEEN_LOWERINGS * 1_000) / perSecond);
}

/** The pace that is kept; where none is, what was sent. */
function reachedPerSecond({ perSecond, now, before }: PaceState, nowMs: number): number {
  if (Number.isFinite(perSecond)) return perSecond;
  return Math.max(sentPerSecond(now, nowMs), sentPerSecond(before, now.fromMs));
}

function sentPerSecond({ sent, fromMs }: Count, toMs: number): number {
  return (sent * 1_000) / Math.max(toMs - fromMs, COUNTED_MS);
}

/** By how much the pace is lowered: to a little less than the share that was taken. */
function lowering({ now, before }: PaceState): number {
  const accepted = now.accepted + before.accepted + PRESUMED_ACCEPTED;
  const share = accepted / (accepted + now.rejected + before.rejected);
  return Math.max(Math.min(share * BELOW_ACCEPTED, LEAST_LOWERING), MOST_LOWERING);
}

/** Begins a new count, and raises the pace, where it is time. */
function onTime(state: PaceState, nowMs: number): PaceState {
  return raised(recounted(state, nowMs), nowMs);
}

function recounted(state: PaceState, nowMs: number): PaceState {
  const { now } = state;
  const countedMs = nowMs - now.fromMs;
  if (countedMs < COUNTED_MS) return state;
  // What is older says nothing of the present.
  const isOld = countedMs > FREE_AFTER_MS;
  if (now.sent < COUNTED_REQUESTS && !isOld) return state;
  return { ...state, before: isOld ? NOTHING : now, now: { ...NOTHING, fromMs: nowMs } };
}

function raised(state: PaceState, nowMs: number): PaceState {
  if (!Number.isFinite(state.perSecond) || nowMs - state.changedAtMs < 1_000) return state;
  const isFree = nowMs - state.heldAtMs > FREE_AFTER_MS;
  const perSecond = isFree ? Number.POSITIVE_INFINITY : state.perSecond * (1 + raising(state, nowMs));
  return { ...state, perSecond, changedAtMs: nowMs };
}

function raising({ perSecond, taken, rejectedAtMs }: PaceState, nowMs: number): number {
  const careful = Math.min(perSecond * RAISING_A_REQUEST, RAISING_A_SECOND);
  const evidence = Math.min(taken / CAREFUL_REQUESTS, (nowMs - rejectedAtMs) / CAREFUL_MS);
  return Math.min(careful * Math.max(evidence, 1) ** HASTE_POWER, MOST_RAISING);
}
