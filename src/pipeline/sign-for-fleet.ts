import { bucketOf, FLOW_BUCKET_MS, fieldsOf } from '../domain/flow.ts';
import type { FleetCounters, FleetRoster } from './fleet-ports.ts';
import type { Gate } from './gate.ts';
import type { JobQueue, ObserveAttempt } from './ports.ts';
import { tallyFlow } from './tally-flow.ts';

export interface SignContext {
  /** The worker's name. */
  readonly name: string;
  readonly counters: FleetCounters;
  readonly roster: FleetRoster;
  readonly depth: JobQueue['depth'];
  readonly gate: Pick<Gate, 'snapshot'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What one worker leaves for those who look at the fleet. */
export interface FleetSign {
  /** Counts an attempt, in memory. */
  readonly observe: ObserveAttempt;
  /** Sends on what was counted, and says that the worker is there. */
  sign(): Promise<void>;
  /** Sends on the last of it, and says that the worker goes. */
  leave(): Promise<void>;
}

/** Keeps the counts of a worker, off the way of the reports: nothing is asked of Redis but by \`sign\`. */
export function signForFleet({ name, counters, roster, depth, gate, now }: SignContext): FleetSign {
  const tally = tallyFlow(counters, now);
  const startedAtMs = now();
  let backlogNotedAtMs = 0;
  let signing: Promise<void> = Promise.resolve();
  let hasLeft = false;

  async function noteBacklog(atMs: number): Promise<void> {
    if (atMs - backlogNotedAtMs < FLOW_BUCKET_MS / 2) return;
    backlogNotedAtMs = atMs;
    const { waiting, delayed } = await depth();
    await counters.noteBacklog(bucketOf(atMs), waiting + delayed);
  }

  async function signNow(): Promise<void> {
    const atMs = now();
    const { circuit, concurrency, inFlight, pacePerSecond } = gate.snapshot();
    const isCircuitOpen = circuit.kind === 'open';
    tally.count(isCircuitOpen ? ['looks', 'open'] : ['looks']);
    await roster.sign({
      name,
      concurrency,
      inFlight,
      ...(pacePerSecond === undefined ? {} : { pacePerSecond }),
      isCircuitOpen,
      startedAtMs,
      seenAtMs: atMs,
    });
    await tally.flush();
    await noteBacklog(atMs);
  }

  return {
    observe({ job, result }) {
      tally.count(fieldsOf(result.outcome, Math.max(0, now() - job.enqueuedAtMs)));
    },
    sign() {
      if (!hasLeft) signing = signNow();
      return signing;
    },
    async leave() {
      hasLeft = true;
      // What is on its way would say that it is there after all.
      await signing.catch(() => undefined);
      await tally.flush();
      await roster.leave(name);
    },
  };
}
