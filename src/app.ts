/** The composition root: the only place where adapters meet the pipeline. */
import { Queue } from 'bullmq';
import { checkRedis } from './adapters/bullmq/check-redis.ts';
import { connectRedis } from './adapters/bullmq/connect-redis.ts';
import { openDeadLetters } from './adapters/bullmq/dead-letter-store.ts';
import { failedJobsOf } from './adapters/bullmq/failed-jobs.ts';
import { openReportWorker } from './adapters/bullmq/report-worker.ts';
import { connectElasticsearch } from './adapters/elasticsearch/connector-api.ts';
import { logAttempts } from './adapters/observe/log-attempts.ts';
import type { Config } from './config.ts';
import { errorReportParser } from './domain/error-report.ts';
import { type HealthServer, serveHealth } from './http/health-server.ts';
import type { HealthCheck } from './pipeline/check-health.ts';
import type { Log, ObserveAttempt } from './pipeline/ports.ts';
import { jobSettler } from './pipeline/settle-job.ts';
import { sweepFailed } from './pipeline/sweep-failed.ts';

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
}

/** Puts a worker together. Nothing is connected before `start`. */
export function createApp(config: Config, { log, observe }: AppOverrides): App {
  const stopping = new AbortController();
  const closers: (() => Promise<unknown>)[] = [];
  let address: string | undefined;
  let worker: ReturnType<typeof openReportWorker> | undefined;
  let stopped: Promise<'clean' | 'abandoned'> | undefined;

  async function start(): Promise<void> {
    const redis = connectRedis(config.redis.url, 'worker', (error) =>
      log.warn({ error: error.message }, 'redis is away'),
    );
    closers.push(() => redis.release());
    const api = connectElasticsearch(config.elasticsearch);
    closers.push(() => api.close());

    const checks: HealthCheck[] = [
      { name: 'redis', run: () => redis.ping().then(() => undefined) },
      {
        name: 'elasticsearch',
        run: async (signal) => {
          const reached = await api.ping(signal);
          return reached.kind === 'up' ? undefined : reached.reason;
        },
      },
      { name: 'worker', run: async () => (worker === undefined ? 'not started yet' : undefined) },
    ];
    const health = await listen(checks);

    await startWorker(redis, api);
    log.info(
      { worker: config.worker.name, concurrency: config.worker.concurrency, ...addressOf(health) },
      'worker started',
    );
  }

  async function listen(checks: readonly HealthCheck[]): Promise<HealthServer | undefined> {
    if (config.http === undefined) return undefined;
    const server = await serveHealth(config.http, checks);
    closers.push(() => server.close());
    address = server.address;
    log.info(addressOf(server), 'health endpoints listen');
    return server;
  }

  async function startWorker(
    redis: ReturnType<typeof connectRedis>,
    api: ReturnType<typeof connectElasticsearch>,
  ): Promise<void> {
    await checkRedis(redis);
    if (stopping.signal.aborted) return;
    const parse = errorReportParser(config.reports);
    const deadLetters = openDeadLetters(redis, config.names);
    const context = {
      api,
      deadLetters,
      policy: config.retry,
      now: Date.now,
      random: Math.random,
      worker: config.worker.name,
    };
    const logAttempt = logAttempts(log);
    worker = openReportWorker(
      redis,
      config.names,
      config.worker,
      jobSettler(parse, context),
      (event) => {
        logAttempt(event);
        observe?.(event);
      },
      log,
    );

    const queue = new Queue(config.names.queue, { connection: redis, prefix: config.names.prefix });
    queue.on('error', (error) => log.warn({ error: error.message }, 'queue fault'));
    closers.push(() => queue.close());
    const sweep = {
      failedJobs: failedJobsOf(queue, redis),
      deadLetters,
      parse,
      now: Date.now,
      worker: config.worker.name,
      log,
    };
    worker.start();
    closers.push(every(config.sweepIntervalMs, () => sweepFailed(sweep), log));
  }

  async function stop(): Promise<'clean' | 'abandoned'> {
    stopping.abort();
    const result = (await worker?.stop(config.shutdownGraceMs)) ?? 'clean';
    for (const close of closers.reverse()) {
      await close().catch((error: unknown) => log.warn({ error: String(error) }, 'could not close cleanly'));
    }
    log.info({ result }, 'worker stopped');
    return result;
  }

  return {
    start: () =>
      start().catch((error: unknown) => {
        // A stop while Redis is still awaited ends the wait with a connection error.
        if (!stopping.signal.aborted) throw error;
      }),
    stop: () => (stopped ??= stop()),
    get address() {
      return address;
    },
    async [Symbol.asyncDispose]() {
      await this.stop();
    },
  };
}

function addressOf(server: HealthServer | undefined): { readonly address?: string } {
  return server === undefined ? {} : { address: server.address };
}

/** Runs the work now and then, one at a time; returns what ends it. */
function every(intervalMs: number, work: () => Promise<unknown>, log: Log): () => Promise<void> {
  const ended = new AbortController();
  const loop = (async () => {
    while (!ended.signal.aborted) {
      await work().catch((error: unknown) => {
        if (!ended.signal.aborted) log.warn({ error: String(error) }, 'sweep failed; it will be repeated');
      });
      await pause(intervalMs, ended.signal);
    }
  })();
  return async () => {
    ended.abort();
    await loop;
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
