/** The stand-in's public face: an embedded model of Elasticsearch's connector API over real HTTP. */
export type { ActiveFault, Fault, FaultEffect, FaultScope } from './faults/fault.ts';
export type { Faults } from './faults/faults.ts';
export { faultKinds, parseFault, parseFaultText } from './faults/parse-fault.ts';
export type { Latency } from './faults/random.ts';
export { Ledger, type LedgerEntry, type LedgerQuery } from './ledger.ts';
export type { StandInOptions } from './options.ts';
export type { ApiKeyOptions, SecurityOptions, UserOptions } from './security/security.ts';
export { type StandIn, type SyncJobDocument, startStandIn } from './stand-in.ts';
export { type SyncJobInput, SyncJobLoadError } from './sync-jobs/load.ts';
export type { SyncJobRecord } from './sync-jobs/scene.ts';
