/**
 * The connector indices as plain indices, since services that predate the connector API read and write
 * them so; nothing else is modelled of Elasticsearch's document API (general knowledge of it).
 */

import { newDocumentId } from '../document-id.ts';
import type { DocumentIndex, StoredDocument } from '../document-index.ts';
import { parseFailure, ServerException } from '../errors/server-exception.ts';
import { isObject, type JsonObject, readValue } from '../json/read-value.ts';
import { TokenReader } from '../json/token-reader.ts';
import type { Answer, Call, Prepared } from '../route.ts';
import { refuseLongKeyword } from '../sync-jobs/keyword-limit.ts';
import { indexNotFound } from './index-not-found.ts';
import { matchesQuery } from './match-query.ts';
import { refuseWindow } from './result-window.ts';

/** The index a name or alias stands for. */
function findIndex(call: Call): DocumentIndex {
  const name = call.path['index'] ?? '';
  const { connectors, syncJobs } = call.cluster;
  const found = [connectors, syncJobs].find(
    (index) => name === index.name || name === index.name.slice(0, -3),
  );
  if (found === undefined) throw indexNotFound(name);
  return found;
}

function existingIndex(call: Call): DocumentIndex {
  const index = findIndex(call);
  if (!index.exists) throw indexNotFound(call.path['index'] ?? '');
  return index;
}

function bodyObject(call: Call, required: boolean): JsonObject {
  if (call.body.length === 0) {
    if (required) throw parseFailure('request body is required');
    return {};
  }
  const reader = new TokenReader(call.body);
  reader.next();
  const value = readValue(reader);
  if (!isObject(value)) throw parseFailure('request body must be an object');
  return value;
}

const shards = Object.freeze({ total: 1, successful: 1, failed: 0 });

function writeAnswer(index: DocumentIndex, id: string, result: string, status: number): Answer {
  const document = index.documents.get(id);
  return {
    status,
    body: {
      _index: index.name,
      _id: id,
      _version: document?.version ?? 1,
      result,
      _shards: shards,
      _seq_no: document?.seqNo ?? 0,
      _primary_term: 1,
    },
  };
}

/** Parameters of writes that change nothing here: every write is visible at once. */
function acceptWriteParameters(call: Call): void {
  for (const name of [
    'refresh',
    'timeout',
    'wait_for_active_shards',
    'routing',
    'retry_on_conflict',
    'pipeline',
    '_source',
    'require_alias',
    'if_seq_no',
    'if_primary_term',
  ]) {
    call.query.text(name);
  }
}

function checkSequence(call: Call, id: string, document: StoredDocument | undefined): void {
  const wanted = call.query.text('if_seq_no');
  if (wanted === undefined || Number(wanted) === document?.seqNo) return;
  throw new ServerException(409, {
    type: 'version_conflict_engine_exception',
    reason:
      `[${id}]: version conflict, required seqNo [${wanted}], primary term [1]. ` +
      (document === undefined
        ? 'but no document was found'
        : `current document has seqNo [${document.seqNo}] and primary term [1]`),
    details: { index_uuid: call.cluster.uuid, shard: '0', index: call.path['index'] },
  });
}

function checkKeywords(source: JsonObject, id: string): void {
  const { error } = source;
  const refusal = typeof error === 'string' ? refuseLongKeyword('error', error, id) : undefined;
  if (refusal !== undefined) throw refusal;
}

/** GET and HEAD `/{index}/_doc/{id}`. */
export function getDocument(call: Call): Prepared {
  for (const name of ['realtime', 'refresh', 'preference', '_source', 'routing']) call.query.text(name);
  const id = call.path['id'] ?? '';
  return {
    execute: () => {
      const index = existingIndex(call);
      const document = index.documents.get(id);
      if (document === undefined) return { status: 404, body: { _index: index.name, _id: id, found: false } };
      return {
        status: 200,
        body: {
          _index: index.name,
          _id: id,
          _version: document.version,
          _seq_no: document.seqNo,
          _primary_term: 1,
          found: true,
          _source: document.source,
        },
      };
    },
  };
}

/** PUT and POST `/{index}/_doc/{id}` and POST `/{index}/_doc`. */
export function indexDocument(call: Call): Prepared {
  acceptWriteParameters(call);
  const opType = call.query.text('op_type');
  const source = bodyObject(call, true);
  const id = call.path['id'] ?? newDocumentId();
  return {
    execute: () => {
      const index = findIndex(call);
      checkSequence(call, id, index.documents.get(id));
      const present = index.documents.get(id);
      if (opType === 'create' && present !== undefined) {
        throw new ServerException(409, {
          type: 'version_conflict_engine_exception',
          reason: `[${id}]: version conflict, document already exists (current version [${present.version}])`,
          details: { index_uuid: call.cluster.uuid, shard: '0', index: index.name },
        });
      }
      checkKeywords(source, id);
      const created = index.put(id, source);
      return writeAnswer(index, id, created ? 'created' : 'updated', created ? 201 : 200);
    },
  };
}

/** POST `/{index}/_update/{id}` with `doc` and, perhaps, `doc_as_upsert`. */
export function updateDocument(call: Call): Prepared {
  acceptWriteParameters(call);
  const values = bodyObject(call, true);
  const change = isObject(values['doc']) ? values['doc'] : undefined;
  const id = call.path['id'] ?? '';
  return {
    problems: change === undefined ? ['script or doc is missing'] : [],
    execute: () => {
      const index = findIndex(call);
      const document = index.documents.get(id);
      checkSequence(call, id, document);
      checkKeywords(change ?? {}, id);
      if (document === undefined && values['doc_as_upsert'] === true) {
        index.put(id, { ...change });
        return writeAnswer(index, id, 'created', 201);
      }
      const result = index.update(id, change ?? {});
      if (result !== 'not_found') return writeAnswer(index, id, result, 200);
      throw new ServerException(404, {
        type: 'document_missing_exception',
        reason: `[${id}]: document missing`,
        details: { index_uuid: call.cluster.uuid, shard: '0', index: index.name },
      });
    },
  };
}

/** DELETE `/{index}/_doc/{id}`. */
export function deleteDocument(call: Call): Prepared {
  acceptWriteParameters(call);
  const id = call.path['id'] ?? '';
  return {
    execute: () => {
      const index = findIndex(call);
      checkSequence(call, id, index.documents.get(id));
      const answer = writeAnswer(index, id, 'deleted', 200);
      return index.delete(id) ? answer : writeAnswer(index, id, 'not_found', 404);
    },
  };
}

/** GET and POST `/{index}/_refresh`: everything is visible anyway. */
export function refreshIndex(call: Call): Prepared {
  for (const name of ['ignore_unavailable', 'allow_no_indices', 'expand_wildcards']) call.query.text(name);
  return {
    execute: () => {
      existingIndex(call);
      return { status: 200, body: { _shards: shards } };
    },
  };
}

/** GET and POST `/{index}/_search`: a query over exact values, without scores or aggregations. */
export function searchIndex(call: Call): Prepared {
  for (const name of [
    'ignore_unavailable',
    'allow_no_indices',
    'expand_wildcards',
    'rest_total_hits_as_int',
    'typed_keys',
    'track_total_hits',
    '_source',
  ]) {
    call.query.text(name);
  }
  const values = bodyObject(call, false);
  const from = call.query.integer('from', Number(values['from'] ?? 0));
  const size = call.query.integer('size', Number(values['size'] ?? 10));
  const asInteger = call.query.flag('rest_total_hits_as_int');
  return {
    execute: () => {
      const index = existingIndex(call);
      const tooDeep = refuseWindow(index.name, from, size);
      if (tooDeep !== undefined) throw tooDeep;
      const found = [...index.documents].filter(([id, { source }]) =>
        matchesQuery(values['query'], id, source),
      );
      const hits = found
        .slice(from, from + size)
        .map(([id, { source }]) => ({ _index: index.name, _id: id, _score: 1, _source: source }));
      return {
        status: 200,
        body: {
          took: 1,
          timed_out: false,
          _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
          hits: {
            total: asInteger ? found.length : { value: found.length, relation: 'eq' },
            max_score: hits.length === 0 ? null : 1,
            hits,
          },
        },
      };
    },
  };
}
