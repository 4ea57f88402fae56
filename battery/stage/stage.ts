/**
 * Everything of one run: oracle producer → Redis → fault proxy → workers → fault proxy → stand-in.
 *
 * Redis, the stand-in and the proxies are this run's own; workers are processes of the command line as it is
 * published, with its own defaults wherever a row does not say otherwise.
 */
import { randomUUID } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type StandIn, startStandIn } from '../../src/stand-in/index.ts';
import type { Evidence } from '../judge/evidence.ts';
import type { RowContext } from '../rows/row.ts';
import { fork, type Random } from '../seeded.ts';
import { collectEvidence } from './collect.ts';
import { type Fleet, openFleet } from './fleet.ts';
import { listenLocally } from './local-socket.ts';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';
import { type OracleReport, openProducer, type Producer } from './producer.ts';
import { queueDepth } from './raw-queue.ts';

/** A run's parts, and what is done with all of them. */
export interface Stage extends AsyncDisposable {
  readonly redis: OwnRedis;
  readonly standIn: StandIn;
  readonly fleet: Fleet;
  readonly producer: Producer;
  /** What workers and producers are configured with, but for where Redis and Elasticsearch are. */
  readonly env: Readonly<Record<string, string>>;
  /** Texts that must be nowhere. */
  readonly secrets: readonly string[];
  /** Chance for one part of the run. */
  random(part: string): Random;
  /** Puts a sync job in place, and remembers that its text is scenery. */
  putSyncJob(id: string, status?: string, error?: string): void;
  /** Puts the running sync jobs of these reports in place. */
  putSyncJobsOf(reports: readonly OracleReport[]): void;
  /** Waits until nothing is queued, or `withinMs` are over; says which. */
  settle(withinMs: number): Promise<boolean>;
  /** Takes stock of everything. */
  evidence(): Promise<Evidence>;
}

/** What a row may choose. */
export interface StageOptions {
  readonly workers: number;
  /** Settings that differ from the relay's defaults. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The relay's own defaults, named because the judge holds workers to them. */
const CONCURRENCY = 50;
const MAX_CONCURRENCY = 400;
const QUIET_MS = 300;
const RESOLUTION_MS = 10;
const POLL_MS = 50;
const LEDGER_ENTRIES = 5_000_000;

/** Starts all but the workers. */
export async function openStage(
  { seed, log, say }: Pick<RowContext, 'seed' | 'log' | 'say'>,
  options: StageOptions,
): Promise<Stage> {
  await using parts = new AsyncDisposableStack();
  const password = `redis-${randomUUID()}`;
  const key = { id: `key-${randomUUID()}`, key: randomUUID(), cluster: ['manage_connector'] };
  const apiKey = Buffer.from(`${key.id}:${key.key}`).toString('base64');
  const secrets = [password, apiKey, key.key];

  const redis = parts.use(await startOwnRedis(password));
  const standIn = parts.use(
    await startStandIn({ seed, ledgerCapacity: LEDGER_ENTRIES, security: { apiKeys: [key] } }),
  );
  const env = {
    KEY_PREFIX: '{battery}',
    CONCURRENCY: String(CONCURRENCY),
    MAX_CONCURRENCY: String(MAX_CONCURRENCY),
    ELASTICSEARCH_API_KEY: apiKey,
    LOG_LEVEL: 'debug',
    HTTP_PORT: '0',
    ...options.env,
  };
  const fleet = parts.use(
    await openFleet({
      size: options.workers,
      seed,
      redis,
      elasticsearch: parts.use(await listenLocally((connection) => standIn.accept(connection))),
      env,
      secrets,
      log,
    }),
  );
  const producer = parts.use(await openProducer({ seed, redis, env }));
  const ownDelay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  ownDelay.enable();
  // Figures mean little where the battery itself was the bottleneck.
  parts.defer(() => {
    ownDelay.disable();
    say(
      `the battery itself was late by ${(ownDelay.percentile(99) / 1e6 - RESOLUTION_MS).toFixed(0)} ms at most, 99 % of the time`,
    );
  });

  const scenery = new Map<string, Set<string>>();
  function putSyncJob(id: string, status = 'in_progress', error?: string): void {
    standIn.putSyncJob({ id, connector_id: 'battery', status, ...(error === undefined ? {} : { error }) });
    if (error === undefined) return;
    const texts = scenery.get(id) ?? new Set();
    scenery.set(id, texts.add(error));
  }

  async function settle(withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    let quietSince: number | undefined;
    while (performance.now() < deadline) {
      const depth = await queueDepth(redis.client, env.KEY_PREFIX);
      const now = performance.now();
      if (depth > 0) quietSince = undefined;
      else quietSince ??= now;
      if (quietSince !== undefined && now - quietSince >= QUIET_MS) return true;
      await sleep(POLL_MS);
    }
    return false;
  }

  const opened = parts.move();
  return {
    redis,
    standIn,
    fleet,
    producer,
    env,
    secrets,
    random: (part) => fork(seed, part),
    putSyncJob,
    putSyncJobsOf(reports) {
      for (const { syncJobId } of reports) putSyncJob(syncJobId);
    },
    settle,
    evidence: () =>
      collectEvidence({ redis, standIn, fleet, producer, scenery, secrets, prefix: env.KEY_PREFIX }, env),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
