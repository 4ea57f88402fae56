/**
 * The stand-in's own endpoints, under `/__stand-in`, a path no Elasticsearch has. They are subject to
 * no fault, ask for no credentials and do not appear in the ledger.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Faults } from '../faults/faults.ts';
import { parseFault } from '../faults/parse-fault.ts';
import type { Ledger, LedgerQuery } from '../ledger.ts';
import { SyncJobLoadError } from '../sync-jobs/load.ts';
import { decodeComponent } from '../wire/decode.ts';

const prefix = '/__stand-in';

/** What the endpoints act on. */
export interface AdminSubject {
  readonly elasticsearchVersion: string;
  readonly ledger: Ledger;
  readonly faults: Faults;
  readonly syncJobCount: () => number;
  readonly syncJobs: () => Iterable<unknown>;
  readonly syncJob: (id: string) => unknown;
  readonly putSyncJob: (record: unknown) => void;
  readonly loadSyncJobs: (ndjson: string) => Promise<number>;
  readonly reset: () => void;
}

interface AdminCall {
  readonly query: URLSearchParams;
  /** What follows the collection's name, decoded. */
  readonly id: string;
  readonly body: string;
}

interface AdminAnswer {
  readonly status: number;
  readonly body?: unknown;
  /** One line of JSON each, in place of a body. */
  readonly lines?: Iterable<unknown>;
}

type Endpoint = (call: AdminCall) => AdminAnswer | Promise<AdminAnswer>;

const defaultLimit = 1000;

/** Serves the endpoints. */
export class Admin {
  readonly #endpoints: ReadonlyMap<string, Endpoint>;

  /** @param subject - Made lazily, since faults need the server that serves this. */
  constructor(subject: () => AdminSubject) {
    this.#endpoints = new Map(endpointsOf(subject));
  }

  /** Whether a path belongs to the stand-in itself. */
  owns(url: string): boolean {
    return url.startsWith(prefix) && /^(?:[/?]|$)/.test(url.slice(prefix.length));
  }

  /** Answers a request to one of the endpoints. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    this.#serve(request, response).catch((error: unknown) => {
      if (!response.headersSent) {
        const problems = error instanceof SyncJobLoadError ? error.problems : undefined;
        writeJson(response, 400, { error: error instanceof Error ? error.message : String(error), problems });
      } else response.destroy();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const [collection = '', ...rest] = url.pathname.slice(prefix.length + 1).split('/');
    const key = `${request.method} ${collection}${rest.length > 0 ? '/{id}' : ''}`;
    const endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) {
      writeJson(response, 404, { error: `no endpoint ${key}`, endpoints: [...this.#endpoints.keys()] });
      return;
    }
    const body = await readText(request);
    const answer = await endpoint({ query: url.searchParams, id: decodeComponent(rest.join('/')), body });
    if (answer.lines === undefined) {
      writeJson(response, answer.status, answer.body);
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/x-ndjson' });
    await pipeline(Readable.from(chunksOf(answer.lines)), response);
  }
}

// biome-ignore format: a table is read by column
function endpointsOf(subject: () => AdminSubject): [string, Endpoint][] {
  return [
    ['GET ',               () => ({ status: 200, body: describe(subject()) })],
    ['GET faults',         () => ({ status: 200, body: subject().faults.list() })],
    ['POST faults',        ({ body }) => addFaults(subject(), body)],
    ['DELETE faults',      () => done(() => subject().faults.clear())],
    ['DELETE faults/{id}', ({ id }) => ({ status: subject().faults.remove(id) ? 200 : 404, body: { id } })],
    ['GET ledger',         ({ query }) => readLedger(subject().ledger, query)],
    ['DELETE ledger',      () => done(() => subject().ledger.clear())],
    ['GET sync-jobs',      () => ({ status: 200, lines: subject().syncJobs() })],
    ['POST sync-jobs',     async ({ body }) => ({ status: 200, body: { loaded: await subject().loadSyncJobs(body) } })],
    ['GET sync-jobs/{id}', ({ id }) => readSyncJob(subject(), id)],
    ['PUT sync-jobs/{id}', ({ id, body }) => done(() => subject().putSyncJob({ ...parseObject(body), id }))],
    ['POST reset',         () => done(() => subject().reset())],
  ];
}

function done(act: () => void): AdminAnswer {
  act();
  return { status: 200, body: { done: true } };
}

function describe(subject: AdminSubject): unknown {
  const { ledger, faults } = subject;
  return {
    elasticsearch_version: subject.elasticsearchVersion,
    sync_jobs: subject.syncJobCount(),
    faults: faults.list().length,
    requests: ledger.total,
  };
}

function addFaults(subject: AdminSubject, body: string): AdminAnswer {
  const value: unknown = JSON.parse(body);
  // All are checked before any is added, so that a mistake changes nothing.
  const faults = (Array.isArray(value) ? value : [value]).map(parseFault);
  return { status: 201, body: { ids: faults.map((fault) => subject.faults.add(fault)) } };
}

function readLedger(ledger: Ledger, query: URLSearchParams): AdminAnswer {
  const method = query.get('method');
  const path = query.get('path');
  const status = query.get('status');
  const filter: LedgerQuery = {
    ...(method === null ? {} : { method }),
    ...(path === null ? {} : { path }),
    ...(status === null ? {} : { status: Number(status) }),
  };
  const entries = [...ledger.entries(filter)];
  const limit = Number(query.get('limit') ?? defaultLimit);
  return {
    status: 200,
    body: {
      total: ledger.total,
      dropped: ledger.dropped,
      count: entries.length,
      entries: limit > 0 ? entries.slice(-limit) : [],
    },
  };
}

function readSyncJob(subject: AdminSubject, id: string): AdminAnswer {
  const job = subject.syncJob(id);
  return job === undefined
    ? { status: 404, body: { error: `no sync job ${id}` } }
    : { status: 200, body: job };
}

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('expected a JSON object');
  }
  return { ...value };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function writeJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Lines joined into pieces worth sending. */
function* chunksOf(lines: Iterable<unknown>): Generator<string> {
  let chunk = '';
  for (const line of lines) {
    chunk += `${JSON.stringify(line)}\n`;
    if (chunk.length > 65_536) {
      yield chunk;
      chunk = '';
    }
  }
  if (chunk !== '') yield chunk;
}
