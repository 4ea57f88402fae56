/** A running stand-in, as a test or a command holds it. */
import type { Duplex } from 'node:stream';
import { Admin } from './admin/admin.ts';
import { Cluster } from './cluster/cluster.ts';
import type { Fault } from './faults/fault.ts';
import { Faults } from './faults/faults.ts';
import { parseFault } from './faults/parse-fault.ts';
import { Ledger } from './ledger.ts';
import { defaults, type StandInOptions } from './options.ts';
import { Router } from './router.ts';
import { routesOf } from './routes.ts';
import { loadSyncJobs, type SyncJobInput } from './sync-jobs/load.ts';
import type { SyncJobRecord } from './sync-jobs/scene.ts';
import { WebServer } from './wire/web-server.ts';

/** A sync job as the API would return it. */
export interface SyncJobDocument {
  readonly id: string;
  readonly status: string;
  readonly error?: string;
  readonly [member: string]: unknown;
}

/** A connector API that answers like Elasticsearch, on a port of its own. */
export interface StandIn extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:34567`. */
  readonly url: string;
  readonly port: number;
  /** The Elasticsearch version it answers as. */
  readonly elasticsearchVersion: string;
  /** Every request so far. */
  readonly ledger: Ledger;
  /** What goes wrong, and how often. */
  readonly faults: Faults;
  /**
   * Puts sync jobs in place from records, NDJSON text or lines of NDJSON.
   *
   * @returns How many were stored.
   * @throws SyncJobLoadError naming the lines that are no sync jobs.
   */
  loadSyncJobs(input: SyncJobInput): Promise<number>;
  /** Puts one sync job in place, with any status and any text, instead of one of the same id. */
  putSyncJob(record: SyncJobRecord): void;
  /** The sync job as GET would return it, or undefined. */
  syncJob(id: string): SyncJobDocument | undefined;
  /** Every sync job, in the order of their first appearance. */
  syncJobs(): IterableIterator<SyncJobDocument>;
  /** Serves a connection that came by another way than the port, such as one over a Unix socket. */
  accept(connection: Duplex): void;
  /** Forgets every document, the ledger and the faults. */
  reset(): void;
  /** Stops listening and cuts every connection; may be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts a stand-in.
 *
 * @throws RangeError for a version it cannot answer as; SyncJobLoadError for sync jobs that are none.
 */
export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const settings = { ...defaults, ...options };
  const cluster = new Cluster(settings.elasticsearchVersion, options.security);
  const ledger = new Ledger(settings.ledgerCapacity);
  const router = new Router(routesOf(cluster.version, cluster.security !== undefined));
  const load = (input: SyncJobInput): Promise<number> => loadSyncJobs(cluster.scene, input, cluster.clock());
  if (options.syncJobs !== undefined) await load(options.syncJobs);
  const initialFaults: Fault[] = (options.faults ?? []).map(parseFault);
  const admin = new Admin(() => ({
    elasticsearchVersion: cluster.version.number,
    ledger,
    faults,
    syncJobCount: () => cluster.syncJobs.documents.size,
    syncJobs: () => documents(cluster),
    syncJob: (id) => document(id, cluster.syncJobs.source(id)),
    putSyncJob: (record) => cluster.scene.putUnknown(record, cluster.clock()),
    loadSyncJobs: load,
    reset,
  }));
  const { maxContentBytes } = settings;
  const server = new WebServer({ cluster, router, ledger, admin, maxContentBytes }, (listener) => {
    const begin = (forMs: number): void => listener.beginOutage(forMs);
    return new Faults(settings.seed, { begin, end: () => listener.endOutage() });
  });
  const { faults } = server;
  const reset = (): void => {
    cluster.reset();
    ledger.clear();
    faults.clear();
  };
  const port = await server.listener.open(settings.port, settings.host);
  for (const fault of initialFaults) faults.add(fault);
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= server.close();
    return stopped;
  };
  return {
    url: `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`,
    port,
    elasticsearchVersion: cluster.version.number,
    ledger,
    faults,
    loadSyncJobs: load,
    putSyncJob: (record) => cluster.scene.putUnknown(record, cluster.clock()),
    syncJob: (id) => document(id, cluster.syncJobs.source(id)),
    syncJobs: () => documents(cluster),
    accept: (connection) => server.listener.accept(connection),
    reset,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function document(
  id: string,
  source: Readonly<Record<string, unknown>> | undefined,
): SyncJobDocument | undefined {
  return source === undefined ? undefined : ({ id, ...source } as SyncJobDocument);
}

function* documents(cluster: Cluster): Generator<SyncJobDocument> {
  for (const [id, { source }] of cluster.syncJobs.documents) yield { id, ...source } as SyncJobDocument;
}
