/** What a stand-in can be told, with every default in one place. */
import type { Fault } from './faults/fault.ts';
import type { SecurityOptions } from './security/security.ts';
import type { SyncJobInput } from './sync-jobs/load.ts';

/** Options of {@link startStandIn}; each may be left out. */
export interface StandInOptions {
  /** TCP port; 0 takes any free one. Default 0. */
  readonly port?: number;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Which Elasticsearch to answer like, from 8.12 on. Default `9.5.1`. */
  readonly elasticsearchVersion?: string;
  /** Users and API keys; left out, security is off. */
  readonly security?: SecurityOptions;
  /** Sync jobs that exist from the start. */
  readonly syncJobs?: SyncJobInput;
  /** Faults in force from the start. */
  readonly faults?: readonly Fault[];
  /** Decides every chance, so that a run can be repeated. Default 1. */
  readonly seed?: number;
  /** Requests the ledger keeps. Default 100,000. */
  readonly ledgerCapacity?: number;
  /** Largest body in bytes (`http.max_content_length`). Default 100 MiB. */
  readonly maxContentBytes?: number;
}

/** The defaults. */
export const defaults: Required<
  Pick<
    StandInOptions,
    'port' | 'host' | 'elasticsearchVersion' | 'seed' | 'ledgerCapacity' | 'maxContentBytes'
  >
> = {
  port: 0,
  host: '127.0.0.1',
  elasticsearchVersion: '9.5.1',
  seed: 1,
  ledgerCapacity: 100_000,
  maxContentBytes: 100 * 1024 * 1024,
};
