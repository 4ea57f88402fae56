/**
 * A job's way through the worker:
 *
 * 1. BullMQ fetches it and takes its lock. `buildJob` makes it safe.
 * 2. `settle` makes one attempt and says what happens to the job; a dead letter is written by then.
 * 3. Settled: the processor returns, and BullMQ removes the job and fetches the next one in the same call.
 *    To be retried: it throws, and BullMQ counts the attempt and delays the job.
 *    Snoozed or handed back: the job is moved first, and BullMQ is told that it was.
 * 4. Only then is the attempt told to the observer.
 *
 * A job that is a bundle is opened, and each report in it goes the same way, see `settle-bundle.ts`.
 *
 * A crash at any point leaves the job in `active` without a lock, and another worker takes it up.
 */
import { setMaxListeners } from 'node:events';
import { DelayedError, type Job, type JobJson, WaitingError, Worker } from 'bullmq';
import { BUNDLE_LIMITS } from '../../domain/bundle.ts';
import { type Arrival, openArrivals } from '../../pipeline/arrivals.ts';
import type { AttemptEvent, AttemptResult, Log, ObserveAttempt, SettleJob } from '../../pipeline/ports.ts';
import { type Bundles, type QueuedBundle, settleBundle } from '../../pipeline/settle-bundle.ts';
import { COMPLETED_KEPT_MINUTES } from './account.ts';
import { toQueuedBundle } from './bundles.ts';
import type { OwnedRedis } from './connect-redis.ts';
import { type Load, openIntake } from './intake.ts';
import type { QueueNames } from './names.ts';
import { buildJob, toQueuedJob } from './queued-job.ts';

export interface WorkerOptions {
  /** This worker's name, as BullMQ's tools and the dead letters show it. */
  readonly name: string;
  /** Most attempts under way at once, to begin with. */
  readonly concurrency: number;
  /** How long a lock lasts without renewal; it is renewed every half of it. */
  readonly lockDurationMs: number;
  /** How often jobs of crashed workers are looked for. */
  readonly stalledIntervalMs: number;
}

export interface ReportWorker {
  /** Starts fetching; resolves at once. */
  start(): void;
  /** Changes how many attempts may be under way at once; what is under way already is left to end. */
  setConcurrency(limit: number): void;
  /** How the worker is doing, for a watchdog. */
  pulse(): { readonly underWay: number; readonly lastSignOfLifeMs: number };
  /**
   * Stops fetching, waits for the attempts under way, and after `graceMs` interrupts those that are left
   * and puts their jobs back at the head of the queue.
   *
   * @returns whether Redis took note of every job; if not, the jobs are redelivered once their locks expire
   */
  stop(graceMs: number): Promise<'clean' | 'abandoned'>;
}

const HELD = Symbol('held');
const TO_TELL = Symbol('to tell');

/** A job with what the worker knows of it; not in a map beside it, which the garbage collector pays for. */
interface HeldJob extends Job {
  [HELD]?: Holding;
  /** Its attempt, to be told once the queue has taken note of it. */
  [TO_TELL]?: AttemptEvent;
}

/** What was fetched. */
interface Holding {
  /** Absent where it is one report. */
  readonly bundle: QueuedBundle | undefined;
  readonly load: Load;
  readonly arrival: Arrival;
}

/** How long handing back may take, beyond the grace time. */
const HAND_BACK_MS = 2_000;

/** The wait after a fault that has no outcome of its own, such as a dead letter that could not be written. */
const FAULT_DELAY_MS = 5_000;

/** What a worker works with. */
export interface WorkerContext {
  readonly settle: SettleJob;
  readonly bundles: Bundles;
  readonly observe: ObserveAttempt;
  readonly log: Log;
}

/** Opens a worker over a connection that its owner closes. */
export function openReportWorker(
  redis: OwnedRedis,
  names: QueueNames,
  options: WorkerOptions,
  { settle, bundles, observe, log }: WorkerContext,
): ReportWorker {
  /** One for all attempts: they are interrupted together or not at all, and BullMQ's own cost each job dearly. */
  const interruption = new AbortController();
  setMaxListeners(0, interruption.signal);
  const intake = openIntake(options.concurrency, BUNDLE_LIMITS.reports, (jobs) => {
    const isMore = jobs > worker.concurrency;
    worker.concurrency = jobs;
    if (isMore) worker.fetchMore();
  });
  const arrive = openArrivals();
  let underWay = 0;
  let lastSignOfLifeMs = Date.now();

  async function process(job: HeldJob, token?: string): Promise<void> {
    lastSignOfLifeMs = Date.now();
    underWay += 1;
    const { bundle, load, arrival } = job[HELD] ?? hold(job, 0);
    let left = load.reports;
    try {
      if (bundle === undefined) await processReport(job, arrival, token);
      else
        await processBundle(job, bundle, arrival, token, () => {
          left -= 1;
        });
    } finally {
      arrival.opened();
      underWay -= 1;
      lastSignOfLifeMs = Date.now();
      intake.ended({ reports: left, bytes: load.bytes });
    }
  }

  async function processReport(job: HeldJob, arrival: Arrival, token: string | undefined): Promise<void> {
    const startedAtMs = Date.now();
    arrival.opened();
    await arrival.begin();
    const queued = toQueuedJob(job);
    let result: AttemptResult;
    try {
      result = await settle(queued, interruption.signal);
    } catch (thrown) {
      throw asError(thrown);
    }
    job[TO_TELL] = { job: queued, result, durationMs: Date.now() - startedAtMs };
    await carryOut(job, token, result);
  }

  async function processBundle(
    job: Job,
    bundle: QueuedBundle,
    arrival: Arrival,
    token: string | undefined,
    onSettled: () => void,
  ): Promise<void> {
    const context = {
      settle,
      bundles,
      arrival,
      observe,
      now: Date.now,
      faultDelayMs: FAULT_DELAY_MS,
      later,
      onFault: (jobId: string, error: unknown) => tellFault(jobId, error),
      onSettled: () => {
        lastSignOfLifeMs = Date.now();
        onSettled();
        intake.settled();
      },
    };
    let end: 'finished' | 'hand-back';
    try {
      end = await settleBundle(bundle, context, interruption.signal);
    } catch (thrown) {
      throw asError(thrown);
    }
    if (end === 'finished') return;
    await job.moveToWait(token);
    throw new WaitingError();
  }

  /** Takes note of a job as soon as it is there, which tells more of the order than when its turn comes. */
  function hold(job: HeldJob, bytes: number): Holding {
    const bundle = toQueuedBundle(job);
    const load = { reports: bundle?.reports.length ?? 1, bytes };
    const held = { bundle, load, arrival: arrive() };
    job[HELD] = held;
    intake.fetched(load);
    return held;
  }

  function tellFault(jobId: string | undefined, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    log.error({ job_id: jobId, error: text }, 'attempt failed by a fault of the worker');
  }

  function tell(job: HeldJob | undefined): void {
    const event = job?.[TO_TELL];
    if (event !== undefined) observe(event);
  }

  /** Moves the job where its outcome says; returning means that it is settled. */
  async function carryOut(
    job: Job,
    token: string | undefined,
    { outcome, history }: AttemptResult,
  ): Promise<void> {
    switch (outcome.kind) {
      case 'applied':
      case 'already-applied':
      case 'dead-letter':
        return;
      case 'retry':
        await job.updateProgress(history);
        throw new RetryLater(outcome.delayMs);
      case 'snooze':
        await job.updateProgress(history);
        await job.moveToDelayed(Date.now() + outcome.delayMs, token);
        tell(job);
        throw new DelayedError();
      case 'hand-back':
        await job.moveToWait(token);
        tell(job);
        throw new WaitingError();
    }
  }

  const worker: TolerantWorker = new TolerantWorker(names.queue, process, {
    connection: redis,
    prefix: names.prefix,
    name: options.name,
    autorun: false,
    concurrency: options.concurrency,
    lockDuration: options.lockDurationMs,
    stalledInterval: options.stalledIntervalMs,
    // Counts completed jobs in the step that completes them, for the account.
    metrics: { maxDataPoints: COMPLETED_KEPT_MINUTES },
    // Which of the jobs that were under way is the one that kills is found out by trying each alone.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    settings: {
      // Must never throw: a job whose delay cannot be told stays active until it stalls.
      backoffStrategy: (_attempts, _type, error) =>
        error instanceof RetryLater ? error.delayMs : FAULT_DELAY_MS,
    },
  });
  worker.onFetched = hold;
  redis.on('ready', () => {
    worker.connections += 1;
  });
  worker.on('completed', tell);
  worker.on('failed', (job, error) => {
    if (error instanceof RetryLater) tell(job);
    else tellFault(job?.id, error);
  });
  worker.on('error', (error) => {
    // While the connection is away every command fails with it, and whoever opened it has said so.
    if (redis.status === 'ready') log.warn({ error: error.message }, 'queue fault');
  });
  worker.on('stalled', (id) =>
    log.warn({ job_id: id }, 'worker of this job died or was cut off; job redelivered'),
  );

  return {
    start() {
      worker.run().catch((error: unknown) => log.error({ error: String(error) }, 'worker loop ended'));
    },
    setConcurrency: intake.setLimit,
    pulse: () => ({ underWay, lastSignOfLifeMs }),
    async stop(graceMs) {
      const closed = worker.close().then(
        () => true,
        () => false,
      );
      // With nothing under way there is nothing to wait for but Redis.
      if (await within(closed, underWay === 0 ? Math.min(graceMs, HAND_BACK_MS) : graceMs)) return 'clean';
      log.warn({ grace_ms: graceMs }, 'grace time is over; handing back what is still under way');
      interruption.abort();
      return (await within(closed, HAND_BACK_MS)) ? 'clean' : 'abandoned';
    },
  };
}

class TolerantWorker extends Worker<unknown, void> {
  /** How often the connection was made; told from outside, because BullMQ keeps it to itself. */
  connections = 0;
  /** Is told of each job that was fetched, with the length of its payload. */
  onFetched: (job: HeldJob, bytes: number) => unknown = () => undefined;

  /**
   * Where Redis carries a completion out and dies before it says so, the completion is sent again with the
   * next connection, and the answer is that there is no such job: then it is completed, and has to be told. So it
   * is where the next job, which comes with the answer, cannot be read; that one is mended by the sweep.
   */
  protected override async handleCompleted(
    ...args: Parameters<Worker<unknown, void>['handleCompleted']>
  ): ReturnType<Worker<unknown, void>['handleCompleted']> {
    const connections = this.connections;
    try {
      return await super.handleCompleted(...args);
    } catch (error) {
      const isGone = error instanceof Error && error.message.startsWith('Missing key for job');
      const isNextBroken = error instanceof SyntaxError;
      if (!isNextBroken && (!isGone || connections === this.connections)) throw error;
      if (isNextBroken) this.emit('error', error);
      this.emit('completed', args[1], undefined, 'active');
      return undefined as never;
    }
  }

  /**
   * Looks whether there is more to fetch. By itself BullMQ does so when a job ends, which may be long after most of a
   * bundle has; its own way to be woken is that of `resume`.
   */
  fetchMore(): void {
    this['mainLoopQueue']?.add(Promise.resolve());
  }

  /** BullMQ itself may fetch once more while it closes, what has just been handed back among it. */
  protected override async moveToActive(
    ...args: Parameters<Worker['moveToActive']>
  ): Promise<Job<unknown, void>> {
    if (this.closing) return undefined as never;
    return super.moveToActive(...args);
  }

  protected override createJob(json: JobJson, jobId: string): Job<unknown, void> {
    const job = buildJob((form) => super.createJob(form, jobId), json);
    this.onFetched(job, String(json.data).length);
    return job;
  }
}

/** Tells BullMQ that an attempt failed, and how long to wait. */
class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly delayMs: number;

  constructor(delayMs: number) {
    super(`next attempt in ${delayMs} ms`);
    this.delayMs = delayMs;
  }
}

/** BullMQ cannot bear that something else than an Error is thrown: the job would stay active. */
function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Does work once after so many milliseconds, unless it is called off. */
function later(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}

async function within(promise: Promise<boolean>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
