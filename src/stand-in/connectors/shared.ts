/** What the connector endpoints have in common. */
import type { Cluster } from '../cluster/cluster.ts';
import type { UpdateResult } from '../document-index.ts';
import { parseFailure, resourceNotFound, type ServerException } from '../errors/server-exception.ts';
import { type BodyDeclaration, parseBody } from '../json/object-parser.ts';
import type { JsonObject } from '../json/read-value.ts';
import type { Answer, Call, Prepared } from '../route.ts';

/** The id in the path. */
export function connectorId(call: Call): string {
  return call.path['connector_id'] ?? '';
}

/** 404, the same for a connector that never was and for one that was deleted softly. */
export function connectorMissing(id: string): ServerException {
  return resourceNotFound(`connector [${id}] not found`);
}

/**
 * The stored connector, for endpoints that read before they write.
 *
 * @throws ServerException 404 where there is none, or only one that was deleted softly.
 */
export function findConnector(cluster: Cluster, id: string, includeDeleted = false): JsonObject {
  const source = cluster.connectors.source(id);
  if (source === undefined || (!includeDeleted && source['deleted'] === true)) throw connectorMissing(id);
  return source;
}

/** How a body of an update becomes a change of the stored connector. */
export interface ConnectorUpdate {
  /** The body, or undefined where none is read. */
  readonly body: BodyDeclaration | undefined;
  /** What is wrong with the values as a whole. */
  readonly problems?: (values: JsonObject, cluster: Cluster) => readonly string[];
  /** Applies the values; may read the connector, and may throw ServerException. */
  readonly apply: (cluster: Cluster, id: string, values: JsonObject) => UpdateResult;
}

/** A handler for PUT of one property of a connector. */
export function connectorUpdate(update: ConnectorUpdate): (call: Call) => Prepared {
  return (call) => {
    const { cluster } = call;
    const id = connectorId(call);
    const values = update.body === undefined ? {} : parseBody(requiredBody(call), update.body);
    const idProblems = id === '' ? ['[connector_id] cannot be [null] or [""].'] : [];
    return {
      problems: [...idProblems, ...(update.problems?.(values, cluster) ?? [])],
      execute: () => resultAnswer(update.apply(cluster, id, values), id),
    };
  };
}

function resultAnswer(result: UpdateResult, id: string): Answer {
  if (result === 'not_found') throw connectorMissing(id);
  return { status: 200, body: { result } };
}

function requiredBody(call: Call): Buffer {
  if (call.body.length === 0) throw parseFailure('request body is required');
  return call.body;
}
