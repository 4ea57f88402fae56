/** Every route of Elasticsearch that the stand-in serves, on one page. */
import { clusterHealth, describeCluster } from './cluster/endpoints.ts';
import { updateConfiguration } from './connectors/configuration.ts';
import { activateFiltering, updateFiltering, updateFilteringValidation } from './connectors/filtering.ts';
import { createConnector, deleteConnector, getConnector, listConnectors } from './connectors/lifecycle.ts';
import { createSecret, deleteSecret, getSecret, putSecret } from './connectors/secrets.ts';
import {
  checkInConnector,
  updateApiKeyId,
  updateError,
  updateFeatures,
  updateIndexName,
  updateLastSync,
  updateName,
  updateNative,
  updatePipeline,
  updateScheduling,
  updateServiceType,
  updateStatus,
} from './connectors/updates.ts';
import {
  deleteDocument,
  getDocument,
  indexDocument,
  refreshIndex,
  searchIndex,
  updateDocument,
} from './indices/endpoints.ts';
import type { Call, Prepared, Route } from './route.ts';
import {
  authenticate,
  createApiKey,
  getApiKeys,
  hasPrivileges,
  invalidateApiKeys,
} from './security/endpoints.ts';
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
  action: string | undefined,
  body: 'read' | 'none',
  prepare: (call: Call) => Prepared,
  exists?: (version: VersionTraits) => boolean,
];

const connector = 'cluster:admin/xpack/connector';
const job = '/_connector/_sync_job/{connector_sync_job_id}';
const secret = '/_connector/_secret/{id}';
const apiKey = 'cluster:admin/xpack/security/api_key';
const one = '/_connector/{connector_id}';
/** The second round of endpoints came with 8.13. */
const afterFirst = (version: VersionTraits): boolean => version.hasConnectorUpdates;

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
  ['GET',    '/_connector',           `${connector}/list`,                  'none', listConnectors],
  ['PUT',    one,                     `${connector}/put`,                   'read', createConnector],
  ['GET',    one,                     `${connector}/get`,                   'none', getConnector],
  ['DELETE', one,                     `${connector}/delete`,                'none', deleteConnector],
  ['PUT',    `${one}/_check_in`,      `${connector}/update_last_seen`,      'none', checkInConnector],
  ['PUT',    `${one}/_configuration`, `${connector}/update_configuration`,  'read', updateConfiguration],
  ['PUT',    `${one}/_error`,         `${connector}/update_error`,          'read', updateError],
  ['PUT',    `${one}/_features`,      `${connector}/update_features`,       'read', updateFeatures, (version) => version.hasFeatures],
  ['PUT',    `${one}/_filtering`,     `${connector}/update_filtering`,      'read', updateFiltering],
  ['PUT',    `${one}/_filtering/_activate`,   `${connector}/update_filtering/activate`,         'none', activateFiltering, afterFirst],
  ['PUT',    `${one}/_filtering/_validation`, `${connector}/update_filtering/draft_validation`, 'read', updateFilteringValidation, afterFirst],
  ['PUT',    `${one}/_last_sync`,     `${connector}/update_last_sync_stats`, 'read', updateLastSync],
  ['PUT',    `${one}/_name`,          `${connector}/update_name`,           'read', updateName],
  ['PUT',    `${one}/_pipeline`,      `${connector}/update_pipeline`,       'read', updatePipeline],
  ['PUT',    `${one}/_scheduling`,    `${connector}/update_scheduling`,     'read', updateScheduling],
  ['PUT',    `${one}/_api_key_id`,    `${connector}/update_api_key_id`,     'read', updateApiKeyId, afterFirst],
  ['PUT',    `${one}/_index_name`,    `${connector}/update_index_name`,     'read', updateIndexName, afterFirst],
  ['PUT',    `${one}/_native`,        `${connector}/update_native`,         'read', updateNative, afterFirst],
  ['PUT',    `${one}/_service_type`,  `${connector}/update_service_type`,   'read', updateServiceType, afterFirst],
  ['PUT',    `${one}/_status`,        `${connector}/update_status`,         'read', updateStatus, afterFirst],
  ['POST',   '/_connector/_secret',   `${connector}/secret/post`,           'read', createSecret, afterFirst],
  ['GET',    secret,                  `${connector}/secret/get`,            'none', getSecret, afterFirst],
  ['PUT',    secret,                  `${connector}/secret/put`,            'read', putSecret, afterFirst],
  ['DELETE', secret,                  `${connector}/secret/delete`,         'none', deleteSecret, afterFirst],
  ['GET',    '/',                     'cluster:monitor/main',               'none', describeCluster],
  ['HEAD',   '/',                     'cluster:monitor/main',               'none', describeCluster],
  ['GET',    '/_cluster/health',      'cluster:monitor/health',             'none', clusterHealth],
  ['GET',    '/_cluster/health/{index}', 'cluster:monitor/health',          'none', clusterHealth],
  ['GET',    '/{index}/_doc/{id}',    'indices:data/read/get',              'none', getDocument],
  ['HEAD',   '/{index}/_doc/{id}',    'indices:data/read/get',              'none', getDocument],
  ['PUT',    '/{index}/_doc/{id}',    'indices:data/write/index',           'read', indexDocument],
  ['POST',   '/{index}/_doc/{id}',    'indices:data/write/index',           'read', indexDocument],
  ['POST',   '/{index}/_doc',         'indices:data/write/index',           'read', indexDocument],
  ['DELETE', '/{index}/_doc/{id}',    'indices:data/write/delete',          'none', deleteDocument],
  ['POST',   '/{index}/_update/{id}', 'indices:data/write/update',          'read', updateDocument],
  ['GET',    '/{index}/_search',      'indices:data/read/search',           'read', searchIndex],
  ['POST',   '/{index}/_search',      'indices:data/read/search',           'read', searchIndex],
  ['GET',    '/{index}/_refresh',     'indices:admin/refresh',              'none', refreshIndex],
  ['POST',   '/{index}/_refresh',     'indices:admin/refresh',              'none', refreshIndex],
];

/** Without security these routes do not exist (general knowledge of Elasticsearch). */
// biome-ignore format: a table is read by column
const securityTable: readonly Line[] = [
  ['GET',    '/_security/_authenticate',                undefined,         'none', authenticate],
  ['POST',   '/_security/api_key',                      `${apiKey}/create`, 'read', createApiKey],
  ['PUT',    '/_security/api_key',                      `${apiKey}/create`, 'read', createApiKey],
  ['GET',    '/_security/api_key',                      `${apiKey}/get`,    'none', getApiKeys],
  ['DELETE', '/_security/api_key',                      `${apiKey}/invalidate`, 'read', invalidateApiKeys],
  ['GET',    '/_security/user/_has_privileges',         undefined,         'read', hasPrivileges],
  ['POST',   '/_security/user/_has_privileges',         undefined,         'read', hasPrivileges],
];

/** The routes of one version, with or without those of security. */
export function routesOf(version: VersionTraits, hasSecurity: boolean): Route[] {
  return [...table, ...(hasSecurity ? securityTable : [])]
    .filter(([, , , , , exists]) => exists === undefined || exists(version))
    .map(([method, path, action, body, prepare]) => ({ method, path, action, body, prepare }));
}
