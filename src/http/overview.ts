/** The whole of queue and fleet at one moment, in the words of HTTP. */
import type { FlowBucket } from '../domain/flow.ts';
import type { DeadLetterCounts, PauseNote } from '../pipeline/ports.ts';
import type { DoorQueue, FleetWatch } from './ports.ts';

/** `GET /v1/queue`, and what the console is sent every second. */
export interface Overview {
  /** ISO 8601. */
  readonly at: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly oldest_waiting_ms: number;
  readonly paused: boolean;
  readonly pause?: PauseNote;
  readonly circuit:
    | { readonly state: 'closed' }
    | { readonly state: 'open'; readonly code: string; readonly since: string };
  /** How long the fleet sends nothing because Elasticsearch has asked for it. */
  readonly hold_ms: number;
  readonly workers: readonly WorkerOverview[];
  readonly dead_letters: DeadLetterCounts;
}

/** A worker that is there. */
export interface WorkerOverview {
  readonly name: string;
  readonly concurrency: number;
  readonly in_flight: number;
  readonly pace_per_second?: number;
  readonly circuit_open: boolean;
  readonly started_at: string;
  readonly seen_at: string;
}

/**
 * Asks for all of it at once.
 *
 * @throws {Error} where Redis does not answer
 */
export async function readOverview(
  queue: Pick<DoorQueue, 'depth'>,
  fleet: Pick<FleetWatch, 'view' | 'letterCounts'>,
  nowMs: number,
): Promise<Overview> {
  const [depth, view, deadLetters] = await Promise.all([queue.depth(), fleet.view(), fleet.letterCounts()]);
  const { circuit } = view;
  return {
    at: isoOf(nowMs),
    waiting: depth.waiting,
    active: depth.active,
    delayed: depth.delayed,
    oldest_waiting_ms: depth.oldestWaitingMs,
    paused: depth.paused,
    ...(depth.pause === undefined ? {} : { pause: depth.pause }),
    circuit:
      circuit === undefined
        ? { state: 'closed' }
        : { state: 'open', code: circuit.code, since: isoOf(circuit.sinceMs) },
    hold_ms: view.holdForMs,
    workers: view.workers.map((worker) => ({
      name: worker.name,
      concurrency: worker.concurrency,
      in_flight: worker.inFlight,
      ...(worker.pacePerSecond === undefined ? {} : { pace_per_second: worker.pacePerSecond }),
      circuit_open: worker.isCircuitOpen,
      started_at: isoOf(worker.startedAtMs),
      seen_at: isoOf(worker.seenAtMs),
    })),
    dead_letters: deadLetters,
  };
}

/** Some seconds of the fleet's work; times of delivery are by their upper bound in milliseconds. */
export interface FlowPoint {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly counts: FlowBucket['counts'];
  readonly backlog?: number;
}

/** A bucket as the console takes it. */
export const flowPoint = ({ atMs, counts, backlog }: FlowBucket): FlowPoint => ({
  at: atMs,
  counts,
  ...(backlog === undefined ? {} : { backlog }),
});

/** What lies in Redis may be of anybody's, and no moment at all. */
function isoOf(atMs: number): string {
  const moment = new Date(atMs);
  return Number.isNaN(moment.getTime()) ? new Date(0).toISOString() : moment.toISOString();
}
