/**
 * The circuit of one worker, which the whole fleet shares through the queue:
 *
 * 1. Closed: every request goes out. Failures in a row add up, a success takes them all back.
 * 2. Open: Elasticsearch counts as away. One request at a time goes out as a probe, at an interval that
 *    holds for the fleet; failures are no longer held against the reports.
 * 3. A probe that succeeds closes it. Where another worker's did, or nobody has said for a while that it is
 *    still open, it is on trial: closed, and the next failure opens it again.
 *
 * No state can stick: an open circuit goes on probing as long as there is a report to probe with.
 */
import type { CircuitEffect, Verdict } from './verdict.ts';

export type CircuitState =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly sinceMs: number; readonly code: string };

export interface CircuitPolicy {
  /** How many failures in a row open it; an outage that leaves no doubt counts for several. */
  readonly failuresToOpen: number;
}

export const CLOSED: CircuitState = { kind: 'closed', failures: 0 };

/**
 * A server error or a lost response may be one request's bad luck; a refused connection or a refused
 * credential is everybody's.
 */
const OUTAGE_WEIGHT = 4;

/** What a verdict weighs as a failure: 0 where it is none. */
export function failureWeight({ kind, circuit }: Pick<Verdict, 'kind' | 'circuit'>): number {
  if (circuit !== 'failure') return 0;
  return kind === 'outage' ? OUTAGE_WEIGHT : 1;
}

/** The state after a verdict on a request that was sent since the circuit last opened or closed. */
export function afterVerdict(
  state: CircuitState,
  verdict: { readonly effect: CircuitEffect; readonly weight: number; readonly code: string },
  policy: CircuitPolicy,
  nowMs: number,
): CircuitState {
  switch (verdict.effect) {
    case 'neutral':
      return state;
    case 'success':
      return CLOSED;
    case 'failure': {
      if (state.kind === 'open') return state;
      const failures = state.failures + verdict.weight;
      return failures < policy.failuresToOpen
        ? { kind: 'closed', failures }
        : { kind: 'open', sinceMs: nowMs, code: verdict.code };
    }
  }
}

/** What the fleet says: that the circuit is open, or nothing. */
export type SharedCircuit = { readonly sinceMs: number; readonly code: string } | undefined;

/** The state after looking at what the fleet says. */
export function afterLook(state: CircuitState, shared: SharedCircuit, policy: CircuitPolicy): CircuitState {
  if (shared !== undefined) return state.kind === 'open' ? state : { kind: 'open', ...shared };
  return state.kind === 'open' ? onTrial(policy) : state;
}

function onTrial(policy: CircuitPolicy): CircuitState {
  return { kind: 'closed', failures: policy.failuresToOpen - 1 };
}
