/** A bounded record of every request, for tests that ask what was really sent. */

/** One request that was answered, or deliberately was not. */
export interface LedgerEntry {
  readonly method: string;
  /** As sent: still encoded, with its query string. */
  readonly path: string;
  /** HTTP status sent; 0 when the connection was cut or left without an answer. */
  readonly status: number;
  /** When the request arrived, in milliseconds since 1970. */
  readonly timeMs: number;
  /** From the request's arrival to its answer, in milliseconds. */
  readonly durationMs: number;
  /** The kind of fault that shaped the answer, if one did. */
  readonly fault?: string;
}

/** Which entries to look at; what is left out matches everything. */
export interface LedgerQuery {
  readonly method?: string;
  /** A text the path contains, or an expression it matches. */
  readonly path?: string | RegExp;
  readonly status?: number;
}

/** Requests, oldest first; when full, the oldest make room. */
export class Ledger {
  readonly #capacity: number;
  #entries: LedgerEntry[] = [];
  #first = 0;
  #total = 0;

  /** @param capacity - Entries kept. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Requests since the start or the last {@link clear}, those no longer kept included. */
  get total(): number {
    return this.#total;
  }

  /** Requests that have made room for later ones and are not seen by {@link count}. */
  get dropped(): number {
    return this.#total - this.#entries.length;
  }

  /** Adds an entry. */
  add(entry: LedgerEntry): void {
    this.#total++;
    if (this.#entries.length < this.#capacity) {
      this.#entries.push(entry);
    } else if (this.#capacity > 0) {
      this.#entries[this.#first] = entry;
      this.#first = (this.#first + 1) % this.#capacity;
    }
  }

  /** The kept entries that match, oldest first. */
  *entries(query: LedgerQuery = {}): Generator<LedgerEntry> {
    const { path } = query;
    for (let index = 0; index < this.#entries.length; index++) {
      const entry = this.#entries[(this.#first + index) % this.#entries.length];
      if (entry === undefined) continue;
      if (query.method !== undefined && entry.method !== query.method) continue;
      if (query.status !== undefined && entry.status !== query.status) continue;
      if (
        typeof path === 'string'
          ? !entry.path.includes(path)
          : path !== undefined && entry.path.search(path) < 0
      ) {
        continue;
      }
      yield entry;
    }
  }

  /** How many of the kept entries match. */
  count(query: LedgerQuery = {}): number {
    let count = 0;
    for (const _ of this.entries(query)) count++;
    return count;
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries = [];
    this.#first = 0;
    this.#total = 0;
  }
}
