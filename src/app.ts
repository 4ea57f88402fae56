/** The composition root: the only place where adapters meet the pipeline. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { brokenJobsOf } from './adapters/bullmq/broken-jobs.ts';
import { bundlesOf } from './adapters/bullmq/bundles.ts';
import { checkRedis } from './adapters/bullmq/check-redis.ts';
import { connectRedis, type OwnedRedis } from './adapters/bullmq/connect-redis.ts';
import { openDeadLetters } from './adapters/bullmq/dead-letter-store.ts';
import { failedJobsOf } from './adapters/bullmq/failed-jobs.ts';
import { openFleetCounters } from './adapters/bullmq/fleet-counters.ts';
import { openFleetRoster } from './adapters/bullmq/fleet-roster.ts';
import { openFleetState } from './adapters/bullmq/fleet-state.ts';
import { isPrimary } from './adapters/bullmq/is-primary.ts';
import { openReportQueue } from './adapters/bullmq/report-queue.ts';
import { openReportWorker, type ReportWorker } from './adapters/bullmq/report-worker.ts';
import { suspectsOf } from './adapters/bullmq/suspects.ts';
import {
  connectElasticsearch,
  type ElasticsearchConnection,
} from './adapters/elasticsearch/connector-api.ts';
import { loadTracing } from './adapters/observe/load-tracing.ts';
import { logAttempts } from './adapters/observe/log-attempts.ts';
import { logConnection } from './adapters/observe/log-connection.ts';
import { createMetrics } from './adapters/observe/metrics.ts';
import type { Config } from './config.ts';
import { errorReportParser, longestPayloadBytes } from './domain/error-report.ts';
import { type Door, serveDoor } from './door.ts';
import type { HealthCheck } from './pipeline/check-health.ts';
import { expireDeadLetters } from './pipeline/expire-dead-letters.ts';
import { type Gate, type GateSnapshot, openGate } from './pipeline/gate.ts';
import type { JobQueue, Log, ObserveAttempt } from './pipeline/ports.ts';
import { readingBack } from './pipeline/read-back.ts';
import { repeat } from './pipeline/repeat.ts';
import { jobSettler } from './pipeline/settle-job.ts';
import { signForFleet } from './pipeline/sign-for-fleet.ts';
import { openSlots } from './pipeline/slots.ts';
import { sweepFailed } from './pipeline/sweep-failed.ts';
import type { Tracing } from './pipeline/tracing.ts';
import { progressWatch } from './pipeline/watch-progress.ts';

/** What the caller adds to, or puts in place of, what the configuration says. */
export interface AppOverrides {
  readonly log: Log;
  /** Is told of every attempt, beside the log. */
  readonly observe?: ObserveAttempt;
}

/** A worker with all that belongs to it. */
export interface App extends AsyncDisposable {
  /**
   * Starts the health endpoints, waits for Redis as long as it takes, and starts the worker.
   *
   * @throws {RedisUnsuitable} where this Redis would lose reports
   * @throws {Error} where the health endpoints cannot listen
   */
  start(): Promise<void>;
  /** Stops everything, within the grace time of the configuration; may be called twice. */
  stop(): Promise<'clean' | 'abandoned'>;
  /** Where the health endpoints listen, once started. */
  readonly address: string | undefined;
  /** How load is kept from Elasticsearch just now; undefined before the worker has started. */
  readonly load: GateSnapshot | undefined;
  /** Resolves with the reason when the worker is stuck for good and should be started anew. */
  readonly stuck: Promise<string>;
}

/** How often the watchdog looks, in milliseconds. */
const WATCH_INTERVAL_MS = 5_000;

/** How often a worker sends its counts on and says that it is there, in milliseconds. */
const SIGN_INTERVAL_MS = 2_000;

/** How long closing may take once the worker has stopped, in milliseconds. */
const CLOSING_MS = 1_000;

/** Puts a worker together. Nothing is connected before `start`. */
export function createApp(config: Config, { log, observe }: AppOverrides): App {
  const stopping = new AbortController();
  const stuck = Promise.withResolvers<string>();
  /** What has to be closed, beside the connection to Redis, which goes last. */
  const opened: (() => Promise<unknown>)[] = [];
  const metrics = createMetrics();
  let door: Door | undefined;
  let running: Running | undefined;
  let letGoOfRedis: (() => Promise<void>) | undefined;
  let stopped: Promise<'clean' | 'abandoned'> | undefined;

  async function start(): Promise<void> {
    const connection = logConnection('redis', log, Date.now);
    const redis = connectRedis(config.redis.url, 'worker', connection.onFault);
    redis.on('ready', connection.onReady);
    letGoOfRedis = () => redis.release();
    const tracing = await loadTracing();
    const elasticsearch = connectElasticsearch(config.elasticsearch, tracing?.beginRequest);
    opened.push(() => elasticsearch.close());
    if (config.http !== undefined) {
      const checks = healthChecks(redis, elasticsearch);
      const load = (): GateSnapshot | undefined => running?.gate.snapshot();
      door = await serveDoor(config, config.http, { log, metrics, checks, load });
      opened.push(door.close);
      log.info({ address: door.address }, 'health endpoints listen');
    }

    await checkRedis(redis);
    if (stopping.signal.aborted) return;
    running = run(redis, elasticsearch, tracing);
    const { name, concurrency } = config.worker;
    log.info({ worker: name, concurrency, ...(door && { address: door.address }) }, 'worker started');
  }

  function healthChecks(redis: OwnedRedis, elasticsearch: ElasticsearchConnection): HealthCheck[] {
    return [
      { name: 'redis', run: () => redis.ping().then(() => undefined) },
      {
        name: 'elasticsearch',
        run: async (signal) => {
          const reached = await elasticsearch.ping(signal);
          return reached.kind === 'up' ? undefined : reached.reason;
        },
      },
      {
        name: 'worker',
        run: async () => {
          if (stopping.signal.aborted) return 'stopping';
          return running === undefined ? 'not started yet' : undefined;
        },
      },
    ];
  }

  /** Starts the worker and what watches over it. */
  function run(redis: OwnedRedis, elasticsearch: ElasticsearchConnection, tracing?: Tracing): Running {
    const { names, worker: options } = config;
    const parse = errorReportParser(config.reports);
    const deadLetters = openDeadLetters(redis, names);
    const gate = openGate({
      fleet: openFleetState(redis, names, options.name),
      policy: config.gate,
      now: steadyNow,
      pause,
      onConcurrency: (limit) => {
        slots.setLimit(limit);
        worker.setConcurrency(limit);
      },
      log,
    });
    const slots = openSlots(options.concurrency);
    const settleJob = jobSettler(parse, {
      api: elasticsearch,
      gate,
      readBackInDoubt: readingBack(gate),
      slots,
      deadLetters,
      suspects: suspectsOf(redis, names),
      maxCrashes: config.maxCrashes,
      policy: config.retry,
      now: Date.now,
      clock: () => performance.now(),
      random: Math.random,
      worker: options.name,
    });
    const settle = tracing?.attempts(names.queue, settleJob) ?? settleJob;
    const queue = openReportQueue(redis, names);
    opened.push(queue.close);
    const fleet = signForFleet({
      name: options.name,
      counters: openFleetCounters(redis, names),
      roster: openFleetRoster(redis, names),
      depth: queue.depth,
      gate,
      now: Date.now,
    });
    const observe = observers(fleet.observe);
    const bull = new Queue(names.queue, { connection: redis, prefix: names.prefix });
    // Faults of the connection are told where it is opened.
    bull.on('error', () => undefined);
    opened.push(() => bull.close());
    const bundles = bundlesOf(redis, names, bull);
    const worker: ReportWorker = openReportWorker(redis, names, options, { settle, bundles, observe, log });
    worker.start();
    watchOver('fleet counters', SIGN_INTERVAL_MS, fleet.sign);
    opened.push(fleet.leave);

    const sweep = {
      failedJobs: failedJobsOf(bull, redis),
      brokenJobs: brokenJobsOf(bull, redis, {
        lockDurationMs: options.lockDurationMs,
        maxPayloadBytes: longestPayloadBytes(config.reports),
      }),
      bundles,
      deadLetters,
      parse,
      now: Date.now,
      worker: options.name,
      log,
    };
    watchOver('sweep', config.sweepIntervalMs, () => sweepFailed(sweep));
    watchOver('watchdog', WATCH_INTERVAL_MS, watchdog(redis, queue, worker));
    watchOver('connection watch', WATCH_INTERVAL_MS, () => endSilence(redis));
    const expiry = { letters: deadLetters, now: Date.now, worker: options.name, log };
    watchOver('retention', config.sweepIntervalMs, () => expireDeadLetters(config.retention, expiry));
    return { gate, worker };
  }

  function observers(count: ObserveAttempt): ObserveAttempt {
    const logAttempt = logAttempts(log);
    return (event) => {
      logAttempt(event);
      metrics.observe(event);
      count(event);
      observe?.(event);
    };
  }

  function watchdog(
    redis: OwnedRedis,
    queue: Pick<JobQueue, 'depth'>,
    worker: ReportWorker,
  ): () => Promise<void> {
    const look = progressWatch(
      {
        takeable: async () => {
          const [{ waiting, paused }, takesWrites] = await Promise.all([queue.depth(), isPrimary(redis)]);
          return paused || !takesWrites ? 0 : waiting;
        },
        lastSignOfLifeMs: () => worker.pulse().lastSignOfLifeMs,
        underWay: () => worker.pulse().underWay,
        now: Date.now,
      },
      { stuckAfterMs: config.stuckAfterMs },
    );
    return async () => {
      const reason = await look();
      if (reason === undefined) return;
      log.error({ reason }, 'worker is stuck');
      stuck.resolve(reason);
    };
  }

  /** A connection that has died without a word looks well from here: only an answer shows that it lives. */
  async function endSilence(redis: OwnedRedis): Promise<void> {
    if (redis.status !== 'ready' || (await isSettledWithin(redis.ping(), config.silenceMs))) return;
    log.warn({ silence_ms: config.silenceMs }, 'redis does not answer; connecting anew');
    redis.reconnect();
  }

  /** Does the work now and then until the app stops. */
  function watchOver(name: string, intervalMs: number, work: () => Promise<unknown>): void {
    const onError = (error: unknown): void =>
      log.warn({ error: String(error) }, `${name} failed; it will be repeated`);
    opened.push(repeat(work, { intervalMs, pause, onError }));
  }

  async function stop(): Promise<'clean' | 'abandoned'> {
    stopping.abort();
    // Those that wait at the gate have nothing under way: they go back at once.
    const gateClosed = running?.gate.close();
    const result = (await running?.worker.stop(config.shutdownGraceMs)) ?? 'clean';
    const closed = Promise.all([gateClosed, ...opened.map(closeQuietly)]);
    // Not longer: what still waits for a Redis that does not answer would wait for ever.
    await isSettledWithin(closed, CLOSING_MS);
    await letGoOfRedis?.();
    log.info({ result }, 'worker stopped');
    return result;
  }

  async function closeQuietly(close: () => Promise<unknown>): Promise<void> {
    await close().catch((error: unknown) => log.warn({ error: String(error) }, 'could not close cleanly'));
  }

  return {
    start: () =>
      start().catch((error: unknown) => {
        // A stop while Redis is still awaited ends the wait with a connection error.
        if (!stopping.signal.aborted) throw error;
      }),
    stop() {
      stopped ??= stop();
      return stopped;
    },
    get address() {
      return door?.address;
    },
    get load() {
      return running?.gate.snapshot();
    },
    stuck: stuck.promise,
    async [Symbol.asyncDispose]() {
      await this.stop();
    },
  };
}

interface Running {
  readonly gate: Gate;
  readonly worker: ReportWorker;
}

/** The time of day as it would be had nobody set the clock since the process began. */
function steadyNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}

async function isSettledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const patience = new AbortController();
  const isSettled = await Promise.race([
    promise.then(() => true),
    pause(ms, patience.signal).then(() => false),
  ]);
  patience.abort();
  return isSettled;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => undefined);
}
