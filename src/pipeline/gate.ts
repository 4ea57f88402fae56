/**
 * The gate that every request to Elasticsearch passes:
 *
 * 1. While the fleet was asked to wait (`Retry-After`), nothing goes out.
 * 2. While the circuit is open, a request goes out only as the probe whose turn it is, one for the fleet at
 *    an interval. Others wait here, with their locks renewed and no attempt used.
 * 3. While the server rejects for speed, requests go out at the pace it bears.
 * 4. No more are under way than the concurrency that was found out, so that those that have waited here come
 *    back one at a time, and then twice as many a round.
 *
 * What came of each attempt is told to it, and decides circuit, pace and concurrency. What the fleet has to
 * know of each other goes through the queue's Redis, with its own expiry: a worker that dies takes nothing
 * with it.
 */
import {
  afterLook,
  afterVerdict,
  type CircuitPolicy,
  type CircuitState,
  CLOSED,
  failureWeight,
  type SharedCircuit,
} from '../domain/circuit.ts';
import {
  afterOutage,
  afterSample,
  type ConcurrencyPolicy,
  type ConcurrencyState,
  initialConcurrency,
} from '../domain/concurrency.ts';
import { afterAcceptance, afterRejection, askToSend, FREE_PACE, type PaceState } from '../domain/pace.ts';
import { afterFirstAttempt, FULL_BUDGET, type RetryBudget, takeRetry } from '../domain/retry-budget.ts';
import type { AmbiguousCause, Verdict } from '../domain/verdict.ts';
import type { Log } from './ports.ts';

/** What the workers of a fleet tell each other. */
export interface FleetState {
  /** What the fleet says now. */
  look(): Promise<{ readonly circuit: SharedCircuit; readonly holdForMs: number }>;
  /** Says that the circuit is open; forgotten by itself after `ttlMs`. */
  sayOpen(circuit: NonNullable<SharedCircuit>, ttlMs: number): Promise<void>;
  /** Keeps what was said of an open circuit from being forgotten for another `ttlMs`, unless it was taken back. */
  keepOpen(ttlMs: number): Promise<void>;
  /** Says that it is closed. */
  sayClosed(): Promise<void>;
  /** Takes the one turn to probe that there is in an interval, if nobody has. */
  takeProbe(intervalMs: number): Promise<boolean>;
  /** Asks everybody to send nothing for so long, in milliseconds; the later end counts. */
  sayHold(forMs: number): Promise<void>;
}

export interface GatePolicy extends CircuitPolicy {
  readonly concurrency: ConcurrencyPolicy;
  /** Least time between two probes of the whole fleet, in milliseconds. */
  readonly probeIntervalMs: number;
  /**
   * How many reports a worker keeps at hand to probe with while the circuit is open: a probe may take as
   * long as a request's timeout, and must not hold up the next one.
   */
  readonly probers: number;
  /** How often a worker looks at what the fleet says, in milliseconds. */
  readonly lookIntervalMs: number;
}

/** How the gate stands, for people and health checks. */
export interface GateSnapshot {
  readonly circuit: CircuitState;
  readonly concurrency: number;
  /** Requests a second; undefined where no pace is kept. */
  readonly pacePerSecond?: number;
  readonly holdUntilMs: number;
  readonly inFlight: number;
}

/** What came of an attempt. */
export interface AttemptReport {
  /** Counted from 1. */
  readonly attempt: number;
  readonly verdict: Verdict;
  readonly latencyMs: number;
  /** What `Retry-After` asked for, in milliseconds. */
  readonly retryAfterMs: number;
}

/** What a noted attempt is told. */
export interface Noted {
  /** Whether the circuit was open at any time while it was made. */
  readonly circuitWasOpen: boolean;
  /** Whether there is a retry left for it in the budget. */
  readonly isWithinRetryBudget: boolean;
}

export interface Gate {
  /**
   * Waits until an attempt may be made; every entry that may go has to be followed by a note.
   *
   * @returns 'go' at once where there is nothing to wait for
   */
  enter(signal: AbortSignal): 'go' | Promise<'go' | 'interrupted'>;
  /** Takes note of an attempt, and says what the decision about its report has to know. */
  note(report: AttemptReport): Noted;
  /** Whether an ambiguous answer may be read back at once, or has to wait for the report's next attempt. */
  mayReadBack(cause: AmbiguousCause): boolean;
  /** How long ago a server was last heard of, by an attempt that did not fail or by `heard`; in milliseconds. */
  silentForMs(): number;
  /** Takes note that a server has just answered. */
  heard(): void;
  snapshot(): GateSnapshot;
  /** Ends every wait, as the signal of an attempt would, and lets no further attempt through. */
  close(): Promise<void>;
}

export interface GateContext {
  readonly fleet: FleetState;
  readonly policy: GatePolicy;
  /** Milliseconds since 1970, on a clock that never goes back. */
  readonly now: () => number;
  /** Waits so many milliseconds, or until the signal. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Is told how many attempts may be under way at once, whenever that changes. */
  readonly onConcurrency: (limit: number) => void;
  readonly log: Log;
}

/** An open circuit that nobody confirms is forgotten after so many probe intervals. */
const FORGOTTEN_AFTER_PROBES = 5;

/** How often those ask again that wait for others to end, in milliseconds: a round may be as short. */
const ASK_WHILE_FULL_MS = 20;

/** Opens a gate; it looks at what the fleet says until it is closed. */
export function openGate(context: GateContext): Gate {
  const { fleet, policy, now, pause, log } = context;
  const closing = new AbortController();
  const forgottenAfterMs = policy.probeIntervalMs * FORGOTTEN_AFTER_PROBES;
  let circuit: CircuitState = CLOSED;
  let concurrency: ConcurrencyState = initialConcurrency(policy.concurrency);
  let pace: PaceState = FREE_PACE;
  let budget: RetryBudget = FULL_BUDGET;
  let holdUntilMs = 0;
  let inFlight = 0;
  /** When the circuit last opened or closed. */
  let changedAtMs = 0;
  /** Attempts under way that were sent before then. */
  let leftOver = 0;
  let heardAtMs = Number.NEGATIVE_INFINITY;
  let toldConcurrency = concurrency.limit;
  /** Those that wait for the circuit to close, or for others to end; oldest first. */
  const resting = new Set<AbortController>();

  function setCircuit(next: CircuitState): void {
    if (next.kind === circuit.kind) {
      circuit = next;
      return;
    }
    const before = circuit;
    circuit = next;
    changedAtMs = now();
    leftOver = inFlight;
    if (next.kind === 'open') {
      log.warn({ code: next.code }, 'circuit open: Elasticsearch counts as away, reports wait');
      setConcurrency({ ...concurrency, limit: policy.probers });
    } else {
      const openForMs = before.kind === 'open' ? now() - before.sinceMs : 0;
      log.info({ open_for_ms: openForMs }, 'circuit closed: reports flow again');
      setConcurrency(afterOutage(concurrency));
    }
  }

  function setConcurrency(next: ConcurrencyState): void {
    concurrency = next;
    tellConcurrency();
  }

  /** A request that hangs since before the circuit changed must not take the place of one that tells more. */
  function tellConcurrency(): void {
    const { limit } = concurrency;
    const next = Math.max(limit, Math.min(limit + leftOver, policy.concurrency.max));
    if (next === toldConcurrency) return;
    toldConcurrency = next;
    context.onConcurrency(next);
    log.debug({ concurrency: next }, 'concurrency changed');
  }

  function room(): number {
    return concurrency.limit - (inFlight - leftOver);
  }

  function isFull(): boolean {
    return room() <= 0;
  }

  /** What cannot be told to the fleet now is told by the next attempt, or found out by each worker itself. */
  function tell(saying: Promise<void>): void {
    saying.catch((error: unknown) => log.debug({ error: String(error) }, 'the fleet could not be told'));
  }

  function enter(signal: AbortSignal): 'go' | Promise<'go' | 'interrupted'> {
    if (goesAtOnce()) return 'go';
    return waitForTurn(AbortSignal.any([signal, closing.signal]));
  }

  /** The ordinary case, without a wait and without a signal to listen to. */
  function goesAtOnce(): boolean {
    if (closing.signal.aborted || circuit.kind === 'open' || holdUntilMs > now()) return false;
    return !isFull() && !Number.isFinite(pace.perSecond) && keepPace() === 0;
  }

  async function waitForTurn(signal: AbortSignal): Promise<'go' | 'interrupted'> {
    while (!signal.aborted) {
      const askAgainMs = await mayGo();
      if (askAgainMs > 0) {
        await rest(askAgainMs, signal);
      } else if (signal.aborted) {
        inFlight -= 1;
      } else {
        return 'go';
      }
    }
    return 'interrupted';
  }

  /** Waits so long, or until there is room. A pace has its times, and nobody is woken before them. */
  async function rest(ms: number, signal: AbortSignal): Promise<void> {
    if (circuit.kind === 'closed' && !isFull()) return pause(ms, signal);
    const bell = new AbortController();
    resting.add(bell);
    await pause(ms, AbortSignal.any([signal, bell.signal]));
    resting.delete(bell);
  }

  /** As many as there is room for ask again now. */
  function wake(): void {
    let left = circuit.kind === 'closed' ? room() : 0;
    for (const bell of resting) {
      if (left-- <= 0) return;
      resting.delete(bell);
      bell.abort();
    }
  }

  /** 0 where a request may go out now, and is counted; else when to ask again, in milliseconds. */
  async function mayGo(): Promise<number> {
    const heldMs = holdUntilMs - now();
    if (heldMs > 0) return Math.min(heldMs, policy.lookIntervalMs);
    if (circuit.kind === 'closed') return isFull() ? ASK_WHILE_FULL_MS : keepPace();
    if (!(await takeProbe())) return policy.lookIntervalMs;
    inFlight += 1;
    return 0;
  }

  /** Where the fleet cannot be asked, nobody probes: it could be everybody. */
  async function takeProbe(): Promise<boolean> {
    try {
      return await fleet.takeProbe(policy.probeIntervalMs);
    } catch (error) {
      log.debug({ error: String(error) }, 'could not ask for a turn to probe');
      return false;
    }
  }

  function keepPace(): number {
    const { state, waitMs } = askToSend(pace, now());
    pace = state;
    if (waitMs === 0) inFlight += 1;
    return waitMs;
  }

  function mayReadBack(cause: AmbiguousCause): boolean {
    // Where Elasticsearch itself has answered it is back, and only the sync job tells what the answer means.
    // After anything else a second request would be one more than the probe, and meet the same end.
    return circuit.kind === 'closed' || isOfElasticsearch(cause);
  }

  function heard(): void {
    heardAtMs = now();
  }

  function note({ attempt, verdict, latencyMs, retryAfterMs }: AttemptReport): Noted {
    const wasOpen = circuit.kind === 'open';
    // Sent before the circuit last opened or closed: it says nothing new of it, whatever came of it.
    const isOld = Math.ceil(now() - latencyMs) < changedAtMs;
    const circuitWasOpen = wasOpen || isOld;
    const underWay = inFlight;
    inFlight -= 1;
    leftOver = Math.max(0, Math.min(isOld ? leftOver - 1 : leftOver, inFlight));
    const code = 'code' in verdict ? verdict.code : '';
    const throttled = code === 'throttled';
    const effect = isOld ? 'neutral' : verdict.circuit;
    if (throttled || verdict.circuit === 'success') heard();
    setCircuit(afterVerdict(circuit, { effect, weight: failureWeight(verdict), code }, policy, now()));
    if (circuit.kind === 'open') {
      if (!wasOpen) tell(fleet.sayOpen({ sinceMs: circuit.sinceMs, code: circuit.code }, forgottenAfterMs));
      else if (effect === 'failure') tell(fleet.keepOpen(forgottenAfterMs));
    } else if (wasOpen) {
      tell(fleet.sayClosed());
    } else if (!circuitWasOpen) {
      const sample = { latencyMs, effect, throttled, inFlight: underWay };
      setConcurrency(afterSample(concurrency, sample, policy.concurrency));
    }
    tellConcurrency();
    if (throttled) onThrottled(retryAfterMs);
    else if (verdict.circuit === 'success') pace = afterAcceptance(pace, now());
    wake();
    return { circuitWasOpen, isWithinRetryBudget: budgetRetry(attempt, verdict) };
  }

  function budgetRetry(attempt: number, verdict: Verdict): boolean {
    if (attempt === 1) budget = afterFirstAttempt(budget);
    if (verdict.kind !== 'transient' || !verdict.attemptUsed) return true;
    const taken = takeRetry(budget);
    budget = taken.budget;
    return taken.isWithin;
  }

  function onThrottled(retryAfterMs: number): void {
    const slower = afterRejection(pace, now());
    if (slower.perSecond !== pace.perSecond) {
      log.debug({ per_second: Math.round(slower.perSecond) }, 'pace lowered');
    }
    pace = slower;
    const untilMs = now() + retryAfterMs;
    if (retryAfterMs <= 0 || untilMs <= holdUntilMs) return;
    // Everything that was under way brings the same demand; the first of them is news.
    if (holdUntilMs <= now())
      log.warn({ hold_ms: retryAfterMs }, 'Elasticsearch asked to wait; the fleet holds');
    holdUntilMs = untilMs;
    tell(fleet.sayHold(retryAfterMs));
  }

  const looking = (async () => {
    while (!closing.signal.aborted) {
      const lookedAtMs = now();
      try {
        const said = await fleet.look();
        if (said.holdForMs > 0) holdUntilMs = Math.max(holdUntilMs, now() + said.holdForMs);
        if (isNews(lookedAtMs)) setCircuit(afterLook(circuit, said.circuit, policy));
        wake();
        // A probe may take longer than it takes to forget.
        if (circuit.kind === 'open' && inFlight > leftOver) tell(fleet.keepOpen(forgottenAfterMs));
      } catch (error) {
        log.debug({ error: String(error) }, 'could not see what the fleet says');
      }
      await pause(policy.lookIntervalMs, closing.signal);
    }
  })();

  /** What the fleet said before the circuit changed is old, and an opening takes a moment to be known. */
  function isNews(lookedAtMs: number): boolean {
    const knownAfterMs = circuit.kind === 'open' ? 2 * policy.lookIntervalMs : 0;
    return lookedAtMs - changedAtMs > knownAfterMs;
  }

  return {
    enter,
    note,
    mayReadBack,
    silentForMs: () => now() - heardAtMs,
    heard,
    snapshot: () => ({
      circuit,
      concurrency: concurrency.limit,
      ...(Number.isFinite(pace.perSecond) ? { pacePerSecond: pace.perSecond } : {}),
      holdUntilMs,
      inFlight,
    }),
    async close() {
      closing.abort();
      await looking;
    },
  };
}

function isOfElasticsearch(cause: AmbiguousCause): boolean {
  switch (cause) {
    case 'refused-transition':
    case 'unreadable-success':
      return true;
    case 'foreign-success':
    case 'lost-response':
      return false;
  }
}
