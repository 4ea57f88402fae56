/** What a fleet of workers and doors leaves for those who look at it. */

import type { SharedCircuit } from '../domain/circuit.ts';
import type { FlowBucket, FlowField } from '../domain/flow.ts';

/** The counts of all processes together, for as long as they are kept. */
export interface FleetCounters {
  /**
   * Adds what one process counted, by the beginning of each bucket. A call whose answer is lost may have been
   * carried out: these counts are for charts and rates, not for accounts.
   */
  add(counts: ReadonlyMap<number, ReadonlyMap<FlowField, number>>): Promise<void>;
  /** Notes how many reports wait, in the bucket that begins there; the last note counts. */
  noteBacklog(bucketMs: number, reports: number): Promise<void>;
  /** The buckets that begin within these moments and in which anything was counted, oldest first. */
  read(fromMs: number, toMs: number): Promise<readonly FlowBucket[]>;
}

/** How a worker says that it is doing. */
export interface WorkerSign {
  readonly name: string;
  /** Most attempts under way at once, just now. */
  readonly concurrency: number;
  readonly inFlight: number;
  /** Requests a second; absent where no pace is kept. */
  readonly pacePerSecond?: number;
  readonly isCircuitOpen: boolean;
  /** Both in milliseconds since 1970, on the worker's clock. */
  readonly startedAtMs: number;
  readonly seenAtMs: number;
}

/** Who works. */
export interface FleetRoster {
  /** Says that a worker is there; forgotten a while after the last time. */
  sign(worker: WorkerSign): Promise<void>;
  /** Says that it goes. */
  leave(name: string): Promise<void>;
  /** The workers that have said lately that they are there, by name. */
  list(nowMs: number): Promise<readonly WorkerSign[]>;
}

/** What the fleet is like now. */
export interface FleetView {
  readonly circuit: SharedCircuit;
  /** How long the fleet sends nothing because Elasticsearch has asked for it, in milliseconds. */
  readonly holdForMs: number;
  readonly workers: readonly WorkerSign[];
}

/** Counts in memory, and sends the counts on now and then. */
export interface FlowTally {
  /** Counts now. */
  count(fields: readonly FlowField[], times?: number): void;
  /** Sends what was counted; what could not be sent is kept for the next time. */
  flush(): Promise<void>;
}
