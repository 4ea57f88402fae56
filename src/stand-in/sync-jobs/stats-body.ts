/** The body of `_stats`. */
import { instant, long, object } from '../json/field-types.ts';
import type { BodyDeclaration } from '../json/object-parser.ts';
import type { JsonObject } from '../json/read-value.ts';

const counters = [
  'deleted_document_count',
  'indexed_document_count',
  'indexed_document_volume',
  'total_document_count',
];

/** Its declaration. */
export const statsBody: BodyDeclaration = {
  name: 'connector_sync_job_update_ingestion_stats',
  fields: {
    deleted_document_count: { type: long, required: true },
    indexed_document_count: { type: long, required: true },
    indexed_document_volume: { type: long, required: true },
    total_document_count: { type: long },
    last_seen: { type: instant },
    metadata: { type: object },
  },
};

/** One complaint a counter below zero; the full stop is Elasticsearch's. */
export function nonNegativeProblems(values: JsonObject): string[] {
  return counters.filter((name) => Number(values[name]) < 0).map((name) => `[${name}] cannot be negative.`);
}
