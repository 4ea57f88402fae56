/** What the sync-job endpoints have in common. */
import type { Cluster } from '../cluster/cluster.ts';
import { parseFailure, resourceNotFound, type ServerException } from '../errors/server-exception.ts';
import type { JsonObject } from '../json/read-value.ts';
import type { Call } from '../route.ts';

/** The id in the path. */
export function syncJobId(call: Call): string {
  return call.path['connector_sync_job_id'] ?? '';
}

/** The complaint about an empty id; the full stop is Elasticsearch's. */
export function idProblems(id: string): string[] {
  return id === '' ? ['[connector_sync_job_id] of the connector sync job cannot be null or empty.'] : [];
}

/**
 * The stored document, for endpoints that read before they write.
 *
 * @throws ServerException 404 with the bare id, or with a sentence where no job was ever created.
 */
export function findSyncJob(cluster: Cluster, id: string): JsonObject {
  const source = cluster.syncJobs.source(id);
  if (source !== undefined) return source;
  throw cluster.syncJobs.exists ? resourceNotFound(id) : syncJobMissing(id);
}

/** The 404 of endpoints that write without reading first. */
export function syncJobMissing(id: string): ServerException {
  return resourceNotFound(`connector sync job [${id}] not found`);
}

/**
 * The body that must be there.
 *
 * @throws ServerException 400 for an empty one.
 */
export function requiredBody(call: Call): Buffer {
  if (call.body.length === 0) throw parseFailure('request body is required');
  return call.body;
}
