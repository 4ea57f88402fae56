/** The stand-in's public face: an embedded model of Elasticsearch's connector API over real HTTP. */
export { Ledger, type LedgerEntry, type LedgerQuery } from './ledger.ts';
export type { StandInOptions } from './options.ts';
export type { ApiKeyOptions, SecurityOptions, UserOptions } from './security/security.ts';
export { type StandIn, type SyncJobDocument, startStandIn } from './stand-in.ts';
export { type SyncJobInput, SyncJobLoadError } from './sync-jobs/load.ts';
export type { SyncJobRecord } from './sync-jobs/scene.ts';
