/**
 * One Elasticsearch index: documents by id, with sequence numbers, created by its first write.
 */
import type { JsonObject } from './json/read-value.ts';
import { mergeInto, setOwn } from './json/read-value.ts';

/** A document as the index keeps it. */
export interface StoredDocument {
  readonly source: JsonObject;
  seqNo: number;
  version: number;
}

/** What an update came to, in Elasticsearch's words. */
export type UpdateResult = 'updated' | 'noop' | 'not_found';

/** Documents by id; ids are any strings. */
export class DocumentIndex {
  /** The concrete index's name. */
  readonly name: string;
  readonly documents: Map<string, StoredDocument> = new Map();
  #exists = false;
  #nextSeqNo = 0;

  /** @param name - The concrete index's name. */
  constructor(name: string) {
    this.name = name;
  }

  /** Whether anything was ever written; deleting every document leaves the index in place. */
  get exists(): boolean {
    return this.#exists;
  }

  /** The document's members, or undefined; not to be changed by the caller. */
  source(id: string): JsonObject | undefined {
    return this.documents.get(id)?.source;
  }

  /** Stores a document; true when there was none of that id. */
  put(id: string, source: JsonObject): boolean {
    this.#exists = true;
    const present = this.documents.get(id);
    this.documents.set(id, { source, seqNo: this.#nextSeqNo++, version: (present?.version ?? 0) + 1 });
    return present === undefined;
  }

  /** Merges members into a document; a merge that changes nothing is not a write. */
  update(id: string, change: JsonObject): UpdateResult {
    const document = this.documents.get(id);
    if (document === undefined) return 'not_found';
    if (!mergeInto(document.source, change)) return 'noop';
    this.#wrote(document);
    return 'updated';
  }

  /** Replaces members of a document whole, as a script does; undefined takes a member away. */
  replaceMembers(id: string, members: JsonObject): UpdateResult {
    const document = this.documents.get(id);
    if (document === undefined) return 'not_found';
    for (const [name, value] of Object.entries(members)) {
      if (value === undefined) delete document.source[name];
      else setOwn(document.source, name, value);
    }
    this.#wrote(document);
    return 'updated';
  }

  #wrote(document: StoredDocument): void {
    document.seqNo = this.#nextSeqNo++;
    document.version++;
  }

  /** Removes a document; false when it does not exist. */
  delete(id: string): boolean {
    const removed = this.documents.delete(id);
    if (removed) this.#nextSeqNo++;
    return removed;
  }

  /** Back to an index that was never written. */
  clear(): void {
    this.documents.clear();
    this.#exists = false;
    this.#nextSeqNo = 0;
  }
}
