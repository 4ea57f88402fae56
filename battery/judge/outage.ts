/** What has to hold while Elasticsearch is away, and after it. */
import type { Evidence } from './evidence.ts';
import { type Finding, finding, round, seconds } from './finding.ts';
import { askedOf } from './sync-job-path.ts';

const PROBE_EVERY_MS = 2_000;
/** Clocks and the network's own time. */
const TOLERANCE_MS = 100;
const MOST_TO_FRESH_MS = 5_000;
const LEAST_SHARE_OF_RATE = 0.8;

/** A stretch of time, in milliseconds since 1970. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** I5: no attempt is used up while the circuit is open. */
export function noAttemptBurned(evidence: Evidence, open: Span): Finding {
  const burned = evidence.lines.filter(
    ({ msg, atMs }) => msg === 'attempt failed' && atMs >= open.fromMs && atMs < open.toMs,
  );
  const attempts = evidence.lines.flatMap(({ msg, fields }) =>
    msg === 'report applied' ? [Number(fields['attempt'])] : [],
  );
  return finding(
    'I5 no attempt burned',
    burned.length === 0,
    `${burned.length} attempts used while the circuit was to be open, at most ${Math.max(0, ...attempts)} for one report in all`,
    '0',
  );
}

/**
 * I6: at most one probe every 2 s, of the whole fleet.
 *
 * A read-back belongs to the probe that it explains. What the battery's own looks at one worker's health make
 * that worker ask is not counted. A refused connection is seen by nobody but its worker, so that there the
 * worker's log is counted.
 */
export function boundedLoad(evidence: Evidence, open: Span, watchedSlot: number): Finding {
  const isIn = (atMs: number): boolean => atMs >= open.fromMs && atMs < open.toMs;
  const requests = evidence.exchanges.flatMap(({ slot, exchange }) => {
    const isAskedFor = slot === watchedSlot && exchange.method === 'GET' && exchange.path === '/';
    const isReadBack = askedOf(exchange.method, exchange.path)?.kind === 'read';
    return isIn(exchange.atMs) && !isAskedFor && !isReadBack ? [exchange.atMs] : [];
  });
  const refused = evidence.lines.flatMap(({ atMs, fields }) =>
    isIn(atMs) && fields['type'] === 'ECONNREFUSED' ? [atMs] : [],
  );
  const probes = [...requests, ...refused].sort((a, b) => a - b);
  const most = Math.max(
    0,
    ...probes.map(
      (from) => probes.filter((at) => at >= from && at < from + PROBE_EVERY_MS - TOLERANCE_MS).length,
    ),
  );
  const allowed = Math.ceil((open.toMs - open.fromMs) / PROBE_EVERY_MS) + 1;
  return finding(
    'I6 bounded load',
    probes.length <= allowed && most <= 1,
    `${probes.length} probes in ${seconds(open.toMs - open.fromMs)}, at most ${most} in any 2 s`,
    `at most ${allowed}, at most 1`,
  );
}

/** What was measured of the way back to normal. */
export interface Recovery {
  /** From the end of the fault to the application of a report that was handed in then with `ORDER=fresh-first`. */
  readonly freshMs: number | undefined;
  /** The same for a report that waits its turn behind the backlog, as by default. */
  readonly inOrderMs: number | undefined;
  /** From the end of the fault to the first application of any report; tells a slow awakening from a long queue. */
  readonly firstMs: number | undefined;
  readonly backlog: number;
  readonly drainMs: number;
  /** Reports a second that the same fleet settles without any fault. */
  readonly faultFreeRate: number;
}

/**
 * I7: a fresh report that is put first passes soon, one in its order as soon as the backlog before it, and that is
 * worked off at nearly full speed.
 */
export function liveness(recovery: Recovery): Finding {
  const { freshMs, inOrderMs, firstMs, backlog, drainMs, faultFreeRate } = recovery;
  const allowedMs = MOST_TO_FRESH_MS + (backlog / (LEAST_SHARE_OF_RATE * faultFreeRate)) * 1_000;
  return finding(
    'I7 liveness',
    isWithin(freshMs, MOST_TO_FRESH_MS) && isWithin(inOrderMs, allowedMs) && drainMs <= allowedMs,
    `the first report applied after ${told(firstMs)}, a fresh one after ${told(freshMs)} put first and after ${told(inOrderMs)} in its order; backlog of ${round(backlog)} gone after ${seconds(drainMs)} (fault-free ${round(faultFreeRate)}/s)`,
    `a fresh one put first at most ${seconds(MOST_TO_FRESH_MS)}; the others at most ${seconds(allowedMs)}`,
  );
}

const isWithin = (ms: number | undefined, mostMs: number): boolean => ms !== undefined && ms <= mostMs;

const told = (ms: number | undefined): string => (ms === undefined ? 'never' : seconds(ms));
