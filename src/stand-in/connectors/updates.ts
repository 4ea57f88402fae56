/** PUT of single properties of a connector; each endpoint is its body, its checks and its change. */
import { statusException } from '../errors/server-exception.ts';
import {
  boolean,
  checkedString,
  checkedStringOrNull,
  instantOrNull,
  long,
  nested,
  objectOrNull,
  string,
  stringOrNull,
} from '../json/field-types.ts';
import type { BodyDeclaration, Field } from '../json/object-parser.ts';
import { isObject, type JsonObject } from '../json/read-value.ts';
import type { Call, Prepared } from '../route.ts';
import { parseSyncStatus } from '../sync-jobs/state-machine.ts';
import { checkCron } from './cron.ts';
import { indexNameProblems, lacksManagedPrefix, managedPrefix, refuseIndexInUse } from './index-name.ts';
import { connectorUpdate, findConnector } from './shared.ts';
import { parseConnectorStatus, refuseConnectorTransition } from './status.ts';

type Handler = (call: Call) => Prepared;

function bodyOf(name: string, fields: Readonly<Record<string, Field>>): BodyDeclaration {
  return { name, fields };
}

/** Drops members that are null, which these endpoints take for absent. */
function withoutNulls(values: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

/** PUT `_name`: name, description or both. */
export const updateName: Handler = connectorUpdate({
  body: bodyOf('connector_update_name_request', {
    name: { type: stringOrNull },
    description: { type: stringOrNull },
  }),
  problems: (values) =>
    Object.keys(withoutNulls(values)).length > 0
      ? []
      : ['[name] and [description] cannot both be [null]. Please provide a value for at least one of them.'],
  apply: (cluster, id, values) => cluster.connectors.update(id, withoutNulls(values)),
});

/** PUT `_index_name`: attaches an index, or detaches it with null. */
export const updateIndexName: Handler = connectorUpdate({
  body: bodyOf('connector_update_index_name_request', { index_name: { type: stringOrNull, required: true } }),
  problems: (values) => indexNameProblems(values['index_name']),
  apply: (cluster, id, values) => {
    const name = values['index_name'];
    const inUse = refuseIndexInUse(cluster, name, id);
    if (inUse !== undefined) throw inUse;
    const connector = findConnector(cluster, id);
    if (connector['is_native'] === true && lacksManagedPrefix(cluster, name)) {
      throw statusException(
        `Index attached to an Elastic-managed connector must start with the prefix: [${managedPrefix}]. ` +
          `The index name in the payload [${name}] doesn't comply with this requirement.`,
      );
    }
    return cluster.connectors.update(id, { index_name: name });
  },
});

/** PUT `_service_type`: a connector past its creation must be configured anew. */
export const updateServiceType: Handler = connectorUpdate({
  body: bodyOf('connector_update_service_type_request', { service_type: { type: string, required: true } }),
  problems: (values) => (values['service_type'] === '' ? ['[service_type] cannot be [null] or [""].'] : []),
  apply: (cluster, id, values) => {
    const wasCreated = findConnector(cluster, id)['status'] === 'created';
    return cluster.connectors.update(id, {
      service_type: values['service_type'],
      status: wasCreated ? 'created' : 'needs_configuration',
    });
  },
});

/** PUT `_status`: along the state machine. */
export const updateStatus: Handler = connectorUpdate({
  body: bodyOf('connector_update_status_request', {
    status: { type: checkedString(parseConnectorStatus), required: true },
  }),
  apply: (cluster, id, values) => {
    const from = parseConnectorStatus(findConnector(cluster, id)['status']);
    const to = parseConnectorStatus(values['status']);
    const refusal = refuseConnectorTransition(from, to);
    if (refusal !== undefined) throw refusal;
    return cluster.connectors.update(id, { status: to });
  },
});

/** PUT `_error`: sets or clears the error, and the status with it. */
export const updateError: Handler = connectorUpdate({
  body: bodyOf('connector_update_error_request', { error: { type: stringOrNull, required: true } }),
  apply: (cluster, id, values) => {
    const error = values['error'];
    const isCleared = error === null || error === '';
    return cluster.connectors.update(id, { error, status: isCleared ? 'connected' : 'error' });
  },
});

/** PUT `_native`: a connected connector falls back to configured, since it must connect anew. */
export const updateNative: Handler = connectorUpdate({
  body: bodyOf('connector_update_native_request', { is_native: { type: boolean, required: true } }),
  apply: (cluster, id, values) => {
    const connector = findConnector(cluster, id);
    const name = connector['index_name'];
    if (values['is_native'] === true && lacksManagedPrefix(cluster, name)) {
      throw statusException(
        `The index name [${name}] attached to the connector [${id}] must start with the required prefix: ` +
          `[${managedPrefix}] to be Elastic-managed. ` +
          'Please update the attached index first to comply with this requirement.',
      );
    }
    const status = connector['status'] === 'connected' ? 'configured' : connector['status'];
    return cluster.connectors.update(id, { is_native: values['is_native'], status });
  },
});

/** PUT `_api_key_id`: the key, its secret or both. */
export const updateApiKeyId: Handler = connectorUpdate({
  body: bodyOf('connector_update_api_key_id_request', {
    api_key_id: { type: stringOrNull },
    api_key_secret_id: { type: stringOrNull },
  }),
  apply: (cluster, id, values) => cluster.connectors.update(id, withoutNulls(values)),
});

/** PUT `_pipeline`: all four members. */
export const updatePipeline: Handler = connectorUpdate({
  body: bodyOf('connector_update_pipeline_request', {
    pipeline: {
      required: true,
      type: nested({
        name: 'connector_ingest_pipeline',
        lenient: true,
        fields: {
          extract_binary_content: { type: boolean, required: true },
          name: { type: string, required: true },
          reduce_whitespace: { type: boolean, required: true },
          run_ml_inference: { type: boolean, required: true },
        },
      }),
    },
  }),
  apply: (cluster, id, values) => cluster.connectors.update(id, values),
});

const schedule: Field = {
  type: nested({
    name: 'schedule_config',
    lenient: true,
    fields: {
      enabled: { type: boolean, required: true },
      interval: { type: string, required: true },
    },
    build: (values) => checkCron(String(values['interval'])),
  }),
};

/**
 * PUT `_scheduling`: the schedules named; the others stay. Elasticsearch's check for at least one looks
 * only at the full and the incremental schedule (source: its request class).
 */
export const updateScheduling: Handler = connectorUpdate({
  body: bodyOf('connector_update_scheduling_request', {
    scheduling: {
      required: true,
      type: nested({
        name: 'connector_scheduling',
        lenient: true,
        fields: { access_control: schedule, full: schedule, incremental: schedule },
      }),
    },
  }),
  problems: ({ scheduling }) =>
    isObject(scheduling) && (scheduling['full'] !== undefined || scheduling['incremental'] !== undefined)
      ? []
      : [
          '[scheduling] object needs to define at least one schedule type: [full | incremental | access_control]',
        ],
  apply: (cluster, id, values) => cluster.connectors.update(id, values),
});

const feature: Field = {
  type: nested({ name: 'connector_feature_enabled', lenient: true, fields: { enabled: { type: boolean } } }),
};

/** PUT `_features`: the features named; the others stay. */
export const updateFeatures: Handler = connectorUpdate({
  body: bodyOf('connector_update_features_request', {
    features: {
      required: true,
      type: nested({
        name: 'connector_features',
        lenient: true,
        fields: {
          document_level_security: feature,
          incremental_sync: feature,
          native_connector_api_keys: feature,
          sync_rules: {
            type: nested({
              name: 'sync_rules_features',
              lenient: true,
              fields: { advanced: feature, basic: feature },
            }),
          },
        },
      }),
    },
  }),
  apply: (cluster, id, values) => cluster.connectors.update(id, values),
});

/** PUT `_check_in`: sets `last_seen`. */
export const checkInConnector: Handler = connectorUpdate({
  body: undefined,
  apply: (cluster, id) => cluster.connectors.update(id, { last_seen: cluster.clock() }),
});

const syncStatus: Field = { type: checkedStringOrNull(parseSyncStatus) };

/** Members of `_last_sync` that are written as null where the body leaves them out (source: `ConnectorSyncInfo`). */
const clearedMembers = {
  last_access_control_sync_error: null,
  last_access_control_sync_status: null,
  last_access_control_sync_scheduled_at: null,
  last_incremental_sync_scheduled_at: null,
  last_sync_error: null,
  last_sync_scheduled_at: null,
  last_sync_status: null,
  last_synced: null,
};

/** PUT `_last_sync`: how the last sync went. */
export const updateLastSync: Handler = connectorUpdate({
  body: bodyOf('connector_update_last_sync_stats_request', {
    last_access_control_sync_error: { type: stringOrNull },
    last_access_control_sync_scheduled_at: { type: instantOrNull },
    last_access_control_sync_status: syncStatus,
    last_deleted_document_count: { type: long },
    last_incremental_sync_scheduled_at: { type: instantOrNull },
    last_indexed_document_count: { type: long },
    last_seen: { type: instantOrNull },
    last_sync_error: { type: stringOrNull },
    last_sync_scheduled_at: { type: instantOrNull },
    last_sync_status: syncStatus,
    last_synced: { type: instantOrNull },
    sync_cursor: { type: objectOrNull },
  }),
  apply: (cluster, id, values) =>
    cluster.connectors.update(id, { ...clearedMembers, ...withoutNulls(values) }),
});
