/** Where the HTTP door meets the queue, inside a worker or alone. */
import { readFileSync } from 'node:fs';
import { loadTracing } from './adapters/observe/load-tracing.ts';
import { createMetrics, type Metrics } from './adapters/observe/metrics.ts';
import { type Config, ConfigInvalid, type HttpOptions } from './config.ts';
import type { ParsedReport } from './domain/error-report.ts';
import { isLoopbackHost } from './http/identify-requests.ts';
import { type Door, openDoor } from './http/open-door.ts';
import type { HealthCheck } from './pipeline/check-health.ts';
import type { GateSnapshot } from './pipeline/gate.ts';
import { type AcceptReport, gatherReports } from './pipeline/gather-reports.ts';
import type { Log } from './pipeline/ports.ts';
import type { Tracing } from './pipeline/tracing.ts';
import { openRelay } from './relay.ts';
import { watchFleet } from './watch-fleet.ts';

export type { Door } from './http/open-door.ts';

/** What is served. */
export interface DoorParts {
  readonly log: Log;
  readonly metrics: Metrics;
  /** What has to work; absent: whether Redis is there and fit. */
  readonly checks?: readonly HealthCheck[];
  /** How load is kept from Elasticsearch, where a worker runs in this process. */
  readonly load?: () => GateSnapshot | undefined;
}

/**
 * Serves health and metrics, and takes reports in where that is safe: on this machine alone, or with API keys.
 *
 * @throws {Error} where it cannot listen there
 */
export async function serveDoor(config: Config, http: HttpOptions, parts: DoorParts): Promise<Door> {
  const { log, metrics, load = () => undefined } = parts;
  const tracing = await loadTracing();
  const relay = openRelay(config);
  const watch = watchFleet(config, relay);
  const close = (): Promise<void> => watch.close().then(relay.close);
  const { deadLetters } = relay;
  metrics.look({ depth: relay.depth, deadLetters: deadLetters.counts, account: relay.account, load });
  const asParsed = (report: ParsedReport): ParsedReport => report;
  const queue = {
    accept: adopting(
      tracing,
      gatherReports((reports) => relay.reportEach(reports, asParsed)),
    ),
    depth: relay.depth,
    locate: relay.locate,
    deadLetters,
    desk: deadLetters,
    fleet: watch.fleet,
    openBoard: watch.openBoard,
  };
  const checks = parts.checks ?? [{ name: 'redis', run: () => relay.check().then(() => undefined) }];
  const isSafe = isSafeToOpen(http);
  if (!isSafe) log.warn({ host: http.host }, 'only health and metrics are served: there are no API keys');
  try {
    const door = await openDoor(
      { ...http, reports: config.reports, version: readVersion() },
      { checks, metrics, log, ...(tracing && { tracing }), ...(isSafe ? { queue } : {}) },
    );
    return {
      address: door.address,
      close: async () => {
        await door.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Reports are gathered with those of other requests: which one brought each is remembered before. */
function adopting(tracing: Tracing | undefined, accept: AcceptReport): AcceptReport {
  if (tracing === undefined) return accept;
  return (report) => {
    if (report.kind === 'valid') tracing.adopt(report.report);
    return accept(report);
  };
}

/**
 * Serves the door alone, for producers.
 *
 * @throws {ConfigInvalid} where it would be open to everybody beyond this machine
 * @throws {Error} where it cannot listen there
 */
export async function serveAlone(config: Config, log: Log): Promise<Door> {
  const { http } = config;
  if (http === undefined) {
    throw new ConfigInvalid([
      { variable: 'HTTP_PORT', expected: 'a port to listen on, 8080 for instance', got: 'nothing' },
    ]);
  }
  if (!isSafeToOpen(http)) {
    throw new ConfigInvalid([
      {
        variable: 'API_KEYS',
        expected: `at least one key, because HTTP_HOST is ${http.host}; "sync-error-relay api-key create" makes one`,
        got: 'nothing',
      },
    ]);
  }
  return await serveDoor(config, http, { log, metrics: createMetrics() });
}

const isSafeToOpen = ({ host, apiKeys }: HttpOptions): boolean => apiKeys.length > 0 || isLoopbackHost(host);

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
