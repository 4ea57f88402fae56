/** Outages of every kind, met by a fleet of workers in one process, on a real Redis and the stand-in. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/adapters/observe/create-log.ts';
import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import type { AttemptEvent } from '../../src/pipeline/ports.ts';
import { openRelay, type Relay } from '../../src/relay.ts';
import { type Fault, type StandIn, startStandIn } from '../../src/stand-in/index.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';

const WORKERS = 3;
const PROBE_INTERVAL_MS = 300;
const FAILURES_TO_OPEN = 10;

/** How long the requests of an outage are counted. */
const WATCHED_MS = 4 * PROBE_INTERVAL_MS;

interface SeenAttempt extends AttemptEvent {
  /** When its first request went out, where it failed; else when it was told. */
  readonly atMs: number;
}

function seen(event: AttemptEvent): SeenAttempt {
  const last = event.result.history.attempts.at(-1);
  const isOver = event.result.outcome.kind.endsWith('applied');
  return { ...event, atMs: last === undefined || isOver ? Date.now() : Date.parse(last.at) };
}

interface Setup {
  readonly standIn: StandIn;
  readonly apps: readonly App[];
  readonly relay: Relay;
  readonly events: readonly SeenAttempt[];
  /** Reports an error for so many sync jobs that wait for one; returns their ids. */
  report(count: number): Promise<readonly string[]>;
}

async function setup(): Promise<Setup> {
  const prefix = keyPrefix();
  const standIn = await startStandIn();
  onTestFinished(() => standIn.stop());
  const settings = {
    REDIS_URL: redisUrl(),
    KEY_PREFIX: prefix,
    ELASTICSEARCH_URL: standIn.url,
    ELASTICSEARCH_TIMEOUT_MS: '1000',
    PROBE_INTERVAL_MS: String(PROBE_INTERVAL_MS),
    CIRCUIT_FAILURES: String(FAILURES_TO_OPEN),
    CONCURRENCY: '10',
    MAX_CONCURRENCY: '10',
    MAX_ATTEMPTS: '5',
    BACKOFF_BASE_MS: '20',
    BACKOFF_CAP_MS: '100',
    OUTAGE_DELAY_MS: '50',
    OUTAGE_DELAY_CAP_MS: '200',
  };
  const events: SeenAttempt[] = [];
  const relay = openRelay(readConfig(settings));
  onTestFinished(() => relay.close());
  const apps = Array.from({ length: WORKERS }, (_, n) =>
    createApp(readConfig({ ...settings, WORKER_NAME: `worker-${n}` }), {
      log: silentLog,
      observe: (event) => events.push(seen(event)),
    }),
  );
  onTestFinished(async () => {
    await Promise.all(apps.map((app) => app.stop()));
  });
  await Promise.all(apps.map((app) => app.start()));
  let reported = 0;
  return {
    standIn,
    apps,
    relay,
    events,
    async report(count) {
      const ids = Array.from({ length: count }, () => `job-${reported++}`);
      for (const id of ids) standIn.putSyncJob({ id, connector_id: 'c', status: 'in_progress' });
      await relay.reportMany(ids.map((id) => ({ connector_sync_job_id: id, error: `Error of ${id}` })));
      return ids;
    },
  };
}

const isOpen = ({ load }: App): boolean => load?.circuit.kind === 'open';

/** Nothing but probes is under way: what was sent before the circuit opened has been answered. */
async function allOpen({ apps }: Setup): Promise<void> {
  await until('the circuit is open for everybody', () => apps.every(isOpen));
  await until('at most a probe is under way', () =>
    apps.every(({ load }) => load !== undefined && load.inFlight <= 1),
  );
}

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['answers 503', { kind: 'status', status: 503 }],
  ['refuses connections', { kind: 'refuse', forMs: 60_000 }],
  ['resets connections', { kind: 'reset' }],
  ['no longer knows the credentials', { kind: 'auth-loss' }],
  ['is hidden by a page of HTML', { kind: 'html' }],
  ['takes no writes', { kind: 'read-only' }],
  ['is never heard, although it does its work', { kind: 'lose-response' }],
];

/** Whose requests the ledger does not see. */
const isUnseen = ({ kind }: Fault): boolean => kind === 'refuse';

describe('an Elasticsearch that', () => {
  test.each(FAULTS)('%s is spared, and costs no report and no attempt', async (_, fault) => {
    const fleet = await setup();
    const { standIn, apps, relay, events, report } = fleet;
    const id = standIn.faults.add(fault);
    const early = await report(60);
    await allOpen(fleet);

    const sinceMs = Date.now();
    const late = await report(30);
    await sleep(WATCHED_MS);
    const endMs = Date.now();
    const isWatched = (atMs: number): boolean => atMs >= sinceMs && atMs < endMs;
    const probesMs = (
      isUnseen(fault)
        ? events.map(({ atMs }) => atMs)
        : [...standIn.ledger.entries()].map(({ timeMs }) => timeMs)
    ).filter(isWatched);
    const met = events.filter(({ atMs }) => isWatched(atMs)).map(({ result }) => result.outcome.kind);

    expect(apps.map(isOpen)).toEqual(Array(WORKERS).fill(true));
    expect(probesMs.length).toBeLessThanOrEqual(Math.ceil((endMs - sinceMs) / PROBE_INTERVAL_MS) + 1);
    expect(probesMs.length).toBeGreaterThanOrEqual(2);
    expect(new Set(met)).toEqual(new Set(['snooze']));

    standIn.faults.remove(id);
    const backMs = Date.now();
    const settledIds = (): number =>
      events.filter(({ result: { outcome } }) => outcome.kind.endsWith('applied')).length;
    await until('all are settled', () => settledIds() === early.length + late.length);
    const firstMs = events.find(({ result: { outcome } }) => outcome.kind.endsWith('applied'))?.atMs;
    expect((firstMs ?? Infinity) - backMs).toBeLessThan(3 * PROBE_INTERVAL_MS);
    expect(await relay.deadLetters.counts()).toEqual({});
    for (const jobId of [...early, ...late]) {
      expect(standIn.syncJob(jobId)).toMatchObject({ status: 'error', error: `Error of ${jobId}` });
    }
    // An attempt can be used up only by what met the failures that opened the circuit.
    const used = events.filter(({ result: { outcome } }) => outcome.kind === 'retry');
    expect(used.every(({ atMs }) => atMs < sinceMs)).toBe(true);
    expect(used.length).toBeLessThanOrEqual(WORKERS * FAILURES_TO_OPEN);
    await until('everybody knows that it is over', () => !apps.some(isOpen), 1_000);
  });
});
