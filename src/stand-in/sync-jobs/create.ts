/** POST `/_connector/_sync_job`: asks for a sync of a connector. */
import type { Cluster } from '../cluster/cluster.ts';
import { newDocumentId } from '../document-id.ts';
import { illegalArgument, resourceNotFound, statusException } from '../errors/server-exception.ts';
import { indexNotFound } from '../indices/index-not-found.ts';
import { string } from '../json/field-types.ts';
import type { BodyDeclaration } from '../json/object-parser.ts';
import { parseBody } from '../json/object-parser.ts';
import { isObject, type JsonObject } from '../json/read-value.ts';
import type { Call, Prepared } from '../route.ts';
import { requiredBody } from './shared.ts';

const jobTypes = ['full', 'incremental', 'access_control'] as const;
const triggerMethods = ['on_demand', 'scheduled'] as const;

const body: BodyDeclaration = {
  name: 'connector_sync_job_post_request',
  fields: {
    id: { type: string, required: true },
    job_type: { type: string },
    trigger_method: { type: string },
  },
  build: (values) => {
    parseJobType(values['job_type'] ?? 'full');
    parseTriggerMethod(values['trigger_method'] ?? 'on_demand');
  },
};

/** Answers 201 with the new job's id. */
export function createSyncJob(call: Call): Prepared {
  const values = parseBody(requiredBody(call), body);
  const connectorId = values['id'] as string;
  return {
    problems: connectorId === '' ? ['[id] of the connector cannot be null or empty'] : [],
    execute: () => {
      const id = newDocumentId();
      const source = newSyncJob(call.cluster, connectorId, {
        jobType: parseJobType(values['job_type'] ?? 'full'),
        triggerMethod: parseTriggerMethod(values['trigger_method'] ?? 'on_demand'),
      });
      call.cluster.syncJobs.put(id, source);
      return { status: 201, body: { id } };
    },
  };
}

/** @throws ServerException 400 for a type that does not exist; case does not matter. */
export function parseJobType(written: unknown): string {
  const found = jobTypes.find((known) => known === String(written).toLowerCase());
  if (found === undefined) throw illegalArgument(`Unknown ConnectorSyncJobType [${written}].`);
  return found;
}

function parseTriggerMethod(written: unknown): string {
  const found = triggerMethods.find((known) => known === String(written).toLowerCase());
  if (found === undefined) throw illegalArgument(`Unknown ConnectorSyncJobTriggerMethod [${written}].`);
  return found;
}

function newSyncJob(
  cluster: Cluster,
  connectorId: string,
  job: { readonly jobType: string; readonly triggerMethod: string },
): JsonObject {
  if (!cluster.connectors.exists) throw indexNotFound(cluster.connectors.name);
  const connector = cluster.connectors.source(connectorId);
  if (connector === undefined) throw resourceNotFound(`Connector with id '${connectorId}' does not exist.`);
  const now = cluster.clock();
  return {
    connector: connectorSnapshot(connectorId, connector, job.jobType),
    created_at: now,
    deleted_document_count: 0,
    indexed_document_count: 0,
    indexed_document_volume: 0,
    job_type: job.jobType,
    last_seen: now,
    metadata: {},
    status: 'pending',
    total_document_count: 0,
    trigger_method: job.triggerMethod,
  };
}

/** The connector as it was when the job was asked for; members without a value are left out. */
function connectorSnapshot(id: string, connector: JsonObject, jobType: string): JsonObject {
  const indexName = connector['index_name'];
  if (typeof indexName !== 'string' || indexName === '') {
    throw statusException(
      `Cannot start a sync for connector [${id}] with no index attached. ` +
        'Set the [index_name] property for the connector to enable syncing data.',
    );
  }
  const serviceType = connector['service_type'];
  if (typeof serviceType !== 'string' || serviceType === '') {
    throw statusException(
      `Cannot start a sync for connector [${id}] with [service_type] not defined. ` +
        'Set the service type of your connector before starting the sync.',
    );
  }
  const filtering = Array.isArray(connector['filtering']) ? connector['filtering'][0] : undefined;
  const snapshot: JsonObject = {
    id,
    filtering: isObject(filtering) ? filtering['active'] : undefined,
    index_name: jobType === 'access_control' ? `.search-acl-filter-${indexName}` : indexName,
    language: connector['language'],
    pipeline: connector['pipeline'],
    service_type: serviceType,
    configuration: connector['configuration'],
  };
  const present = Object.entries(snapshot).filter(([, value]) => value !== undefined && value !== null);
  return structuredClone(Object.fromEntries(present));
}
