/** Connectors as a whole: PUT and POST, GET, list, DELETE. */
import type { Cluster } from '../cluster/cluster.ts';
import { newDocumentId } from '../document-id.ts';
import { illegalArgument, type ServerException, validationFailure } from '../errors/server-exception.ts';
import { refuseWindow } from '../indices/result-window.ts';
import { boolean, string, stringOrNull } from '../json/field-types.ts';
import { type BodyDeclaration, parseBody } from '../json/object-parser.ts';
import { isObject, type JsonObject } from '../json/read-value.ts';
import { acknowledged, type Call, type Prepared } from '../route.ts';
import { defaultFiltering, defaultScheduling } from './defaults.ts';
import { indexNameProblems, lacksManagedPrefix, managedPrefix, refuseIndexInUse } from './index-name.ts';
import { connectorId, connectorMissing, findConnector } from './shared.ts';

const maxIdBytes = 512;

const body: BodyDeclaration = {
  name: 'connector_put_request',
  fields: {
    description: { type: string },
    index_name: { type: stringOrNull },
    is_native: { type: boolean },
    language: { type: string },
    name: { type: string },
    service_type: { type: string },
  },
};

/** Creates a connector, or sets an existing one back to how it began. */
export function createConnector(call: Call): Prepared {
  const { cluster } = call;
  const givenId = connectorId(call);
  const values = call.body.length === 0 ? {} : parseBody(call.body, body);
  const indexName = values['index_name'];
  const problems = indexNameProblems(indexName);
  if (values['is_native'] === true && lacksManagedPrefix(cluster, indexName)) {
    problems.push(
      `Index [${indexName}] is invalid. Index attached to an Elastic-managed connector ` +
        `must start with the prefix: [${managedPrefix}]`,
    );
  }
  return {
    problems,
    execute: () => {
      const inUse = refuseIndexInUse(cluster, indexName, givenId === '' ? undefined : givenId);
      if (inUse !== undefined) throw inUse;
      const id = givenId === '' ? newDocumentId() : givenId;
      const tooLong = refuseLongId(id);
      if (tooLong !== undefined) throw tooLong;
      const created = cluster.connectors.put(id, newConnector(cluster, values));
      return { status: created ? 201 : 200, body: { id, result: created ? 'created' : 'updated' } };
    },
  };
}

/** Elasticsearch's limit on the ids of documents (general knowledge). */
function refuseLongId(id: string): ServerException | undefined {
  const bytes = Buffer.byteLength(id);
  if (bytes <= maxIdBytes) return undefined;
  return validationFailure([
    `id [${id}] is too long, must be no longer than ${maxIdBytes} bytes but was: ${bytes}`,
  ]);
}

/** Members in the order Elasticsearch writes them; those without a value are left out, but for the history of syncs. */
function newConnector(cluster: Cluster, values: JsonObject): JsonObject {
  const isNative = values['is_native'] === true;
  const optional = (name: string): JsonObject =>
    values[name] === undefined || values[name] === null ? {} : { [name]: values[name] };
  return {
    configuration: {},
    custom_scheduling: {},
    ...optional('description'),
    filtering: defaultFiltering(cluster.clock()),
    ...optional('index_name'),
    is_native: isNative,
    ...optional('language'),
    last_access_control_sync_error: null,
    last_access_control_sync_status: null,
    last_access_control_sync_scheduled_at: null,
    last_incremental_sync_scheduled_at: null,
    last_sync_error: null,
    last_sync_scheduled_at: null,
    last_sync_status: null,
    last_synced: null,
    name: values['name'] ?? '',
    scheduling: defaultScheduling(),
    ...optional('service_type'),
    status: isNative ? 'needs_configuration' : 'created',
    sync_now: false,
    ...(cluster.version.deletesSoftly ? { deleted: false } : {}),
  };
}

/** Answers with the connector, its id first. */
export function getConnector(call: Call): Prepared {
  const id = connectorId(call);
  const includeDeleted = call.cluster.version.deletesSoftly && call.query.flag('include_deleted');
  return {
    problems: id === '' ? ['[connector_id] cannot be [null] or [""].'] : [],
    execute: () => ({ status: 200, body: { id, ...findConnector(call.cluster, id, includeDeleted) } }),
  };
}

/** Lists connectors by index name, those without one last. */
export function listConnectors(call: Call): Prepared {
  const { query, cluster } = call;
  const from = query.integer('from', 0);
  const size = query.integer('size', 100);
  if (from < 0) throw illegalArgument('Parameter [from] cannot be < 0');
  if (size < 0) throw illegalArgument('Parameter [size] cannot be < 0');
  const indexNames = query.list('index_name');
  const names = query.list('connector_name');
  const serviceTypes = query.list('service_type');
  const search = query.text('query') ?? '';
  const includeDeleted = cluster.version.deletesSoftly && query.flag('include_deleted');
  const matches = (source: JsonObject): boolean =>
    (includeDeleted || source['deleted'] !== true) &&
    isAmong(source['index_name'], indexNames) &&
    isAmong(source['name'], names) &&
    isAmong(source['service_type'], serviceTypes) &&
    (search === '' || [source['index_name'], source['name'], source['description']].some(likeSearch(search)));
  return {
    problems: indexNames.flatMap(indexNameProblems),
    execute: () => {
      if (!cluster.connectors.exists) return { status: 200, body: { count: 0, results: [] } };
      const tooDeep = refuseWindow(cluster.connectors.name, from, size);
      if (tooDeep !== undefined) throw tooDeep;
      const found = [...cluster.connectors.documents].filter(([, { source }]) => matches(source));
      found.sort(([, a], [, b]) => compareNames(a.source['index_name'], b.source['index_name']));
      const results = found.slice(from, from + size).map(([id, { source }]) => ({ id, ...source }));
      return { status: 200, body: { count: found.length, results } };
    },
  };
}

function isAmong(value: unknown, wanted: readonly string[]): boolean {
  return wanted.length === 0 || (typeof value === 'string' && wanted.includes(value));
}

/** A wildcard search for the text anywhere in a value; `*` and `?` in it keep their meaning. */
function likeSearch(search: string): (value: unknown) => boolean {
  const escaped = search.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(escaped.replaceAll('*', '.*').replaceAll('?', '.'), 's');
  return (value) => typeof value === 'string' && pattern.test(value);
}

function compareNames(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (typeof a !== 'string') return 1;
  if (typeof b !== 'string') return -1;
  return a < b ? -1 : 1;
}

/** Deletes a connector, softly where the version does so and `hard` is not set, and its sync jobs if asked to. */
export function deleteConnector(call: Call): Prepared {
  const { query, cluster } = call;
  const id = connectorId(call);
  const withSyncJobs = query.flag('delete_sync_jobs');
  const isHard = !cluster.version.deletesSoftly || query.flag('hard');
  return {
    problems: id === '' ? ['[connector_id] cannot be [null] or [""].'] : [],
    execute: () => {
      if (isHard) {
        if (!cluster.connectors.delete(id)) throw connectorMissing(id);
      } else {
        findConnector(cluster, id);
        cluster.connectors.update(id, { deleted: true });
      }
      if (withSyncJobs) deleteSyncJobsOf(cluster, id);
      return acknowledged;
    },
  };
}

function deleteSyncJobsOf(cluster: Cluster, id: string): void {
  for (const [jobId, { source }] of cluster.syncJobs.documents) {
    const connector = source['connector'];
    if (isObject(connector) && connector['id'] === id) cluster.syncJobs.delete(jobId);
  }
}
