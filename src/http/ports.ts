/** What the HTTP door asks of the rest. */

import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import type { DeadLetterFilter } from '../domain/dead-letter-filter.ts';
import type { ReportLimits } from '../domain/error-report.ts';
import type { FlowBucket } from '../domain/flow.ts';
import type { HealthCheck } from '../pipeline/check-health.ts';
import type { EditResult } from '../pipeline/edit-dead-letter.ts';
import type { FleetView } from '../pipeline/fleet-ports.ts';
import type { AcceptReport } from '../pipeline/gather-reports.ts';
import type { Whereabouts } from '../pipeline/locate-report.ts';
import type { JsonPatch } from '../pipeline/patch-report.ts';
import type {
  DeadLetterCounts,
  DeadLetterQueue,
  Log,
  PauseNote,
  PauseResult,
  QueueDepth,
  ResumeResult,
} from '../pipeline/ports.ts';
import type { RedriveOptions, RedriveRun } from '../pipeline/redrive-ports.ts';
import type { Tracing } from '../pipeline/tracing.ts';
import type { ApiKey } from './api-keys.ts';

/** The queue and the dead letters, as they are spoken to over HTTP. */
export interface DoorQueue {
  readonly accept: AcceptReport;
  depth(): Promise<QueueDepth>;
  locate(id: string): Promise<Whereabouts>;
  readonly deadLetters: Pick<DeadLetterQueue, 'list' | 'get'>;
  /** What is done with dead letters; absent: they can only be looked at. */
  readonly desk?: DeadLetterDesk;
  /** The fleet, for those who watch and pause it; absent: there is no console. */
  readonly fleet?: FleetWatch;
  /** Opens BullMQ's own queue for Bull Board; absent: there is none. */
  readonly openBoard?: () => Promise<BaseAdapter>;
}

/** What people see who watch the fleet, and the switch that they have. */
export interface FleetWatch {
  view(): Promise<FleetView>;
  /** The counts of the buckets that begin within these moments, oldest first; milliseconds since 1970. */
  flow(fromMs: number, toMs: number): Promise<readonly FlowBucket[]>;
  letterCounts(): Promise<DeadLetterCounts>;
  pause(note: PauseNote): Promise<PauseResult>;
  resume(): Promise<ResumeResult>;
}

/** What keys with the scope `operate` do. */
export interface DeadLetterDesk {
  redrive(
    filter: DeadLetterFilter,
    options: RedriveOptions,
    hooks: { readonly signal: AbortSignal; readonly onBegin: (run: RedriveRun) => void },
  ): Promise<RedriveRun>;
  cancelRedrive(id: string, by: string): Promise<'cancelled' | 'unknown' | 'over'>;
  redriveRun(id: string): Promise<RedriveRun | undefined>;
  redriveRuns(): Promise<readonly RedriveRun[]>;
  edit(id: string, patch: JsonPatch, by: string): Promise<EditResult>;
  upToNow(filter: DeadLetterFilter): Promise<DeadLetterFilter>;
  purge(filter: DeadLetterFilter, by: string): Promise<number>;
}

/** Is told what is counted, and prints it. */
export interface DoorMetrics {
  /** A result that a producer was given, by the way it came. */
  counted(way: ReportWay, status: 'queued' | 'duplicate' | 'invalid'): void;
  /** A request that was answered; `route` is the path's pattern, never the path. */
  answered(request: AnsweredRequest): void;
  readonly contentType: string;
  print(): Promise<string>;
}

/** The ways in. */
export type ReportWay = 'elasticsearch' | 'http';

export interface AnsweredRequest {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
}

/** What may be sent, and how fast. */
export interface DoorLimits {
  /** Longest body that is taken in whole, in bytes. */
  readonly maxBodyBytes: number;
  /** Most reports in one array. */
  readonly maxItems: number;
  /** Most requests of one key in a second. */
  readonly requestsPerSecond: number;
  /** Reports in the queue from which on no more are taken. */
  readonly maxBacklog: number;
  /** How long a body may take to arrive, and a stream may be silent, in milliseconds. */
  readonly bodyTimeoutMs: number;
}

/** How the door is set up. */
export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  /** Empty: everybody who reaches the door may do everything. */
  readonly apiKeys: readonly ApiKey[];
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Origins whose pages may call the door from a browser, each as browsers write it. */
  readonly corsOrigins: readonly string[];
  readonly limits: DoorLimits;
  readonly reports: ReportLimits;
  readonly version: string;
}

export interface DoorContext {
  readonly checks: readonly HealthCheck[];
  readonly metrics: DoorMetrics;
  readonly log: Log;
  /** Follows requests; absent: nobody does. */
  readonly tracing?: Pick<Tracing, 'serve'>;
  /** Absent: only health and metrics are served. */
  readonly queue?: DoorQueue;
}
