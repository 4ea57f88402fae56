/** Every route of Elasticsearch that the stand-in serves, on one page. */
import { createConnector, getConnector } from './connectors/create.ts';
import type { Call, Prepared, Route } from './route.ts';
import { createSyncJob } from './sync-jobs/create.ts';
import { failSyncJob } from './sync-jobs/fail.ts';
import {
  cancelSyncJob,
  checkInSyncJob,
  claimSyncJob,
  deleteSyncJob,
  updateSyncJobStats,
} from './sync-jobs/progress.ts';
import { getSyncJob, listSyncJobs } from './sync-jobs/read.ts';
import type { VersionTraits } from './version.ts';

type Line = readonly [
  method: string,
  path: string,
  action: string,
  body: 'read' | 'none',
  prepare: (call: Call) => Prepared,
  exists?: (version: VersionTraits) => boolean,
];

const connector = 'cluster:admin/xpack/connector';
const job = '/_connector/_sync_job/{connector_sync_job_id}';

// biome-ignore format: a table is read by column
const table: readonly Line[] = [
  ['POST',   '/_connector/_sync_job', `${connector}/sync_job/post`,         'read', createSyncJob],
  ['GET',    '/_connector/_sync_job', `${connector}/sync_job/list`,         'none', listSyncJobs],
  ['GET',    job,                     `${connector}/sync_job/get`,          'none', getSyncJob],
  ['DELETE', job,                     `${connector}/sync_job/delete`,       'none', deleteSyncJob],
  ['PUT',    `${job}/_error`,         `${connector}/sync_job/update_error`, 'read', failSyncJob],
  ['PUT',    `${job}/_claim`,         `${connector}/sync_job/claim`,        'read', claimSyncJob, (version) => version.hasClaim],
  ['PUT',    `${job}/_check_in`,      `${connector}/sync_job/check_in`,     'none', checkInSyncJob],
  ['PUT',    `${job}/_cancel`,        `${connector}/sync_job/cancel`,       'none', cancelSyncJob],
  ['PUT',    `${job}/_stats`,         `${connector}/sync_job/update_stats`, 'read', updateSyncJobStats],
  ['POST',   '/_connector',           `${connector}/post`,                  'read', createConnector],
  ['PUT',    '/_connector',           `${connector}/put`,                   'read', createConnector],
  ['PUT',    '/_connector/{connector_id}', `${connector}/put`,              'read', createConnector],
  ['GET',    '/_connector/{connector_id}', `${connector}/get`,              'none', getConnector],
];

/** The routes of one version. */
export function routesOf(version: VersionTraits): Route[] {
  return table
    .filter(([, , , , , exists]) => exists === undefined || exists(version))
    .map(([method, path, action, body, prepare]) => ({ method, path, action, body, prepare }));
}
