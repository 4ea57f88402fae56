/**
 * Sync jobs put in place by a test or a file rather than by the API: any id, any status, any text.
 */
import type { Clock } from '../clock.ts';
import { defaultFilteringRules } from '../connectors/defaults.ts';
import type { DocumentIndex } from '../document-index.ts';
import type { JsonObject } from '../json/read-value.ts';
import { isObject, setOwn } from '../json/read-value.ts';

/** A sync job to put in place. */
export interface SyncJobRecord {
  /** Any string but the empty one. */
  readonly id: string;
  /** The connector the job belongs to; it need not exist. Default `connector`. */
  readonly connector_id?: string | null;
  /** Usually one of the seven statuses; anything else is stored as it is, to set a broken scene. */
  readonly status: string;
  /** The text the job already holds. */
  readonly error?: string | null;
  /** Any other member of the stored document, such as `job_type` or `completed_at`; it wins over the default. */
  readonly [member: string]: unknown;
}

/** Members that are not simply copied into the stored document. */
const ownMembers = new Set(['id', 'connector_id', 'status', 'error']);

/** Puts sync jobs into the index, sharing what they have in common so that a million stay small. */
export class SceneWriter {
  readonly #index: DocumentIndex;
  readonly #clock: Clock;
  readonly #connectors = new Map<string, JsonObject>();

  /**
   * @param index - The sync-jobs index.
   * @param clock - Gives `created_at` and `last_seen`.
   */
  constructor(index: DocumentIndex, clock: Clock) {
    this.#index = index;
    this.#clock = clock;
  }

  /** Stores a record in place of any of the same id. */
  put(record: SyncJobRecord, now: string = this.#clock()): void {
    const connectorId = record.connector_id ?? 'connector';
    const source: JsonObject = {
      connector: this.#connectorReference(connectorId, now),
      created_at: now,
      deleted_document_count: 0,
      indexed_document_count: 0,
      indexed_document_volume: 0,
      job_type: 'full',
      last_seen: now,
      metadata: noMetadata,
      status: record.status,
      total_document_count: 0,
      trigger_method: 'on_demand',
    };
    if (typeof record.error === 'string') source['error'] = record.error;
    for (const name in record) if (!ownMembers.has(name)) setOwn(source, name, record[name]);
    this.#index.put(record.id, source);
  }

  /**
   * Reads and stores a record of unknown origin.
   *
   * @throws TypeError saying every way in which it is no record.
   */
  putUnknown(value: unknown, now: string): void {
    this.put(parseRecord(value), now);
  }

  #connectorReference(id: string, now: string): JsonObject {
    let reference = this.#connectors.get(id);
    if (reference === undefined) {
      reference = {
        id,
        filtering: defaultFilteringRules(now),
        index_name: `search-${id}`,
        service_type: /^([a-z0-9_]+?)-\d+$/.exec(id)?.[1] ?? 'custom',
        configuration: {},
      };
      this.#connectors.set(id, reference);
    }
    return reference;
  }
}

const noMetadata: JsonObject = {};

function parseRecord(value: unknown): SyncJobRecord {
  if (!isObject(value)) throw new TypeError('expected a JSON object');
  const problems: string[] = [];
  const text = (name: string, required: boolean): void => {
    const member = value[name];
    if ((member === undefined || member === null) && !required) return;
    if (typeof member !== 'string') problems.push(`${name}: expected a string, got ${describe(member)}`);
    else if (required && member === '') problems.push(`${name}: expected a non-empty string`);
  };
  text('id', true);
  text('connector_id', false);
  text('status', true);
  text('error', false);
  if (problems.length > 0) throw new TypeError(problems.join('; '));
  return value as SyncJobRecord;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `${typeof value}`;
}
