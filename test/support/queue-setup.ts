/** A queue, its dead letters and workers of it, on a part of the shared Redis that is the test's own. */
import { Queue } from 'bullmq';
import { onTestFinished } from 'vitest';
import { bundlesOf } from '../../src/adapters/bullmq/bundles.ts';
import { connectRedis, type OwnedRedis } from '../../src/adapters/bullmq/connect-redis.ts';
import { openDeadLetters } from '../../src/adapters/bullmq/dead-letter-store.ts';
import type { QueueNames } from '../../src/adapters/bullmq/names.ts';
import { openReportQueue, type ReportQueue } from '../../src/adapters/bullmq/report-queue.ts';
import {
  openReportWorker,
  type ReportWorker,
  type WorkerOptions,
} from '../../src/adapters/bullmq/report-worker.ts';
import { suspectsOf } from '../../src/adapters/bullmq/suspects.ts';
import { silentLog } from '../../src/adapters/observe/create-log.ts';
import { type ErrorReport, errorReportParser, type ParseErrorReport } from '../../src/domain/error-report.ts';
import { reportJobId } from '../../src/domain/job.ts';
import type { RetryPolicy } from '../../src/domain/outcome.ts';
import type {
  AttemptEvent,
  ConnectorApi,
  DeadLetterQueue,
  Log,
  SettleJob,
} from '../../src/pipeline/ports.ts';
import type { ReadBackInDoubt } from '../../src/pipeline/read-back.ts';
import type { AttemptContext } from '../../src/pipeline/run-attempt.ts';
import { jobSettler } from '../../src/pipeline/settle-job.ts';
import { openSlots } from '../../src/pipeline/slots.ts';
import { keyPrefix, redisUrl } from './redis.ts';

export const PROMPT_POLICY: RetryPolicy = {
  maxAttempts: 3,
  maxAgeMs: 60_000,
  backoff: { baseMs: 10, capMs: 50 },
  outage: { baseMs: 10, capMs: 50 },
  notRunningMaxMs: 100,
  notRunningDelayMs: 20,
};

export const parse: ParseErrorReport = errorReportParser({ maxErrorBytes: 1_048_576 });

export interface QueueSetup {
  readonly names: QueueNames;
  readonly url: string;
  readonly redis: OwnedRedis;
  readonly queue: ReportQueue;
  /** BullMQ's own view, as a foreign producer has it. */
  readonly foreign: Queue;
  readonly deadLetters: DeadLetterQueue;
  /** What workers have said of their attempts so far. */
  readonly events: AttemptEvent[];
  enqueue(...reports: ErrorReport[]): Promise<readonly ('queued' | 'duplicate')[]>;
  /** A worker that has started; it is stopped with the test, unless the test does so before. */
  work(options: {
    readonly api?: ConnectorApi;
    readonly settle?: SettleJob;
    readonly policy?: Partial<RetryPolicy>;
    readonly worker?: Partial<WorkerOptions>;
    readonly log?: Log;
  }): StartedWorker;
  /** Whether nothing waits, runs or is delayed. */
  isQuiet(): Promise<boolean>;
}

export interface StartedWorker extends ReportWorker {
  readonly redis: OwnedRedis;
}

export async function setupQueue(url: string = redisUrl()): Promise<QueueSetup> {
  const names: QueueNames = { prefix: keyPrefix(), queue: 'reports' };
  const connect = (): OwnedRedis => {
    const redis = connectRedis(url, 'worker', () => undefined);
    onTestFinished(() => redis.release());
    return redis;
  };
  const redis = connect();
  const queue = openReportQueue(redis, names);
  const foreign = new Queue(names.queue, { connection: redis, prefix: names.prefix });
  foreign.on('error', () => undefined);
  onTestFinished(() => foreign.close());
  const deadLetters = openDeadLetters(redis, names);
  const events: AttemptEvent[] = [];

  return {
    names,
    url,
    redis,
    queue,
    foreign,
    deadLetters,
    events,
    enqueue: (...reports) =>
      queue.add(reports.map((report) => ({ id: reportJobId(report), report, enqueuedAtMs: Date.now() }))),
    work({ api, settle, policy, worker: workerOptions, log = silentLog }) {
      const own = connect();
      const context = {
        api: api ?? unusedApi,
        gate: OPEN_DOOR,
        readBackInDoubt: readAtOnce,
        suspects: suspectsOf(own, names),
        slots: openSlots(workerOptions?.concurrency ?? 10),
        maxCrashes: 3,
        deadLetters: openDeadLetters(own, names),
        policy: { ...PROMPT_POLICY, ...policy },
        now: Date.now,
        clock: () => performance.now(),
        random: Math.random,
        worker: 'worker-1',
      };
      const worker = openReportWorker(
        own,
        names,
        {
          name: 'worker-1',
          concurrency: 10,
          lockDurationMs: 2_000,
          stalledIntervalMs: 500,
          ...workerOptions,
        },
        {
          settle: settle ?? jobSettler(parse, context),
          bundles: bundlesOf(own, names, foreign),
          observe: (event) => events.push(event),
          log,
        },
      );
      worker.start();
      onTestFinished(async () => {
        await worker.stop(1_000);
      });
      return { ...worker, redis: own };
    },
    async isQuiet() {
      const { waiting, active, delayed } = await queue.depth();
      return waiting + active + delayed === 0;
    },
  };
}

/** A gate that lets everything through. */
export const OPEN_DOOR: AttemptContext['gate'] = {
  enter: () => 'go',
  note: () => ({ circuitWasOpen: false, isWithinRetryBudget: true }),
};

/** Reads back whatever is ambiguous. */
export const readAtOnce: ReadBackInDoubt = (_cause, _sinceSentMs, read, signal) => read(signal);

const unusedApi: ConnectorApi = {
  setSyncJobError: () => Promise.reject(new Error('no request was to be made')),
  readSyncJob: () => Promise.reject(new Error('no request was to be made')),
};

export function report(id = 'job-1', error = 'TimeoutError'): ErrorReport {
  return { connector_sync_job_id: id, error };
}
