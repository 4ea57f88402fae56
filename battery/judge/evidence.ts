import type { Exchange } from '../stage/fault.ts';
import type { Acknowledged, OracleReport } from '../stage/producer.ts';
import type { LogLine } from '../stage/worker-process.ts';

/** A dead letter, as far as it is judged. */
export interface Letter {
  readonly id: string;
  readonly code: string;
  readonly report: { readonly connector_sync_job_id: string; readonly error: string } | null;
  /** What came before it, where the report was put back. */
  readonly redrives?: readonly unknown[];
}

/** A sync job as Elasticsearch holds it. */
export interface HeldSyncJob {
  readonly status: string;
  readonly error?: string;
}

/** What a process that runs says it has settled: applied, already_applied, and dead letters by their code. */
export interface SettledCounts {
  readonly slot: number;
  readonly incarnation: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** A worker process, as far as it is judged. */
export interface WorkerRecord {
  readonly slot: number;
  readonly incarnation: number;
  /** When the battery killed it. */
  readonly killedAtMs: number | undefined;
  readonly exitCode: number | null | undefined;
  readonly peakRssMiB: number;
}

/** Everything that is known at the end of a run, taken from outside the relay wherever that is possible. */
export interface Evidence {
  /** The reports whose enqueue was acknowledged: A. */
  readonly reports: readonly Acknowledged[];
  /** Reports of calls that failed: they may be there or not, but twice they may not. */
  readonly unacknowledged: readonly OracleReport[];
  /** What Elasticsearch holds, by sync job. */
  readonly syncJobs: ReadonlyMap<string, HeldSyncJob>;
  /** What the battery itself put there: no report has to account for these texts. */
  readonly scenery: ReadonlyMap<string, ReadonlySet<string>>;
  /** Requests that changed a sync job, by sync job, from the ledger. */
  readonly stateChanges: ReadonlyMap<string, number>;
  /** Requests to set an error that were answered 200 in a form that settles nothing, by sync job. */
  readonly brokenAnswers: ReadonlyMap<string, number>;
  /** The dead letters as they lie in Redis. */
  readonly letters: readonly Letter[];
  /** What the relay says there is, by code. */
  readonly letterCounts: Readonly<Record<string, number>>;
  /** How many it says there are in all. */
  readonly letterTotal: number;
  /** What the relay says is waiting, active and delayed together. */
  readonly depth: number;
  /** Reports that lie in Redis in any form, as jobs or in bundles. */
  readonly jobsInRedis: ReadonlySet<string>;
  /** Keys in Redis that belong to no job and no letter. */
  readonly otherKeys: number;
  /** What the workers asked of Elasticsearch, by slot. */
  readonly exchanges: readonly { readonly slot: number; readonly exchange: Exchange }[];
  readonly lines: readonly LogLine[];
  /** By the metrics of the processes that run at the end. */
  readonly settled: readonly SettledCounts[];
  readonly workers: readonly WorkerRecord[];
  /** Most attempts that one worker may have under way. */
  readonly concurrency: number;
  /** Most requests that one worker had under way at once. */
  readonly peakInFlight: number;
  /** Places in which a planted secret was found. */
  readonly secretsFound: readonly string[];
}
