/** The oracle: it hands reports in, notes what was acknowledged, and knows how each must end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, type EnqueueResult, openRelay, type Relay, readConfig } from '../../src/index.ts';
import { fork } from '../seeded.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';

/** How a report must end: applied, or as a dead letter of this code. */
export type Ending = 'applied' | { readonly dead: string };

/** A report as the oracle made it. */
export interface OracleReport {
  readonly syncJobId: string;
  readonly error: string;
  readonly ending: Ending;
}

/** A report that was acknowledged. */
export interface Acknowledged extends OracleReport {
  readonly jobId: string;
  readonly atMs: number;
  /** Calls for this report that were answered with `queued` and with `duplicate`. */
  queued: number;
  duplicate: number;
}

/** A call that failed. */
export interface FailedCall {
  readonly atMs: number;
  readonly durationMs: number;
  readonly name: string;
  readonly message: string;
}

/** Hands reports in, through a proxy of its own. */
export interface Producer extends AsyncDisposable {
  readonly relay: Relay;
  readonly config: Config;
  readonly proxy: FaultProxy;
  readonly acknowledged: ReadonlyMap<string, Acknowledged>;
  /** Reports of calls that failed and were not repeated: whether they were accepted is not known. */
  readonly unacknowledged: readonly OracleReport[];
  readonly failedCalls: readonly FailedCall[];
  /** Hands them in, again and again where the call fails, until each is acknowledged. */
  report(reports: readonly OracleReport[]): Promise<void>;
  /** Hands them in once; what is not acknowledged is not the relay's. Resolves with whether the call went through. */
  reportOnce(reports: readonly OracleReport[]): Promise<boolean>;
  /**
   * Hands them in at so many a second, without waiting for slow calls: one by one, several in a call, and now and
   * then many of them after a short rest, as chance has it.
   */
  inflow(reports: readonly OracleReport[], perSecond: number): Promise<void>;
  /** Notes what another producer was told. */
  note(report: OracleReport, result: EnqueueResult): void;
}

/** Where reports go, and whose chances these are. */
export interface ProducerOptions {
  readonly seed: number;
  readonly redis: { readonly socketPath: string; readonly password: string };
  readonly env: Readonly<Record<string, string>>;
}

const TICK_MS = 20;
/** Share of the ticks in which each report has a call of its own, and of those that are followed by a rest. */
const ALONE = 0.3;
const RESTING = 0.05;
const REST_MS = 300;
const REPEAT_MS = 100;

/** Opens it. */
export async function openProducer({ seed, redis, env }: ProducerOptions): Promise<Producer> {
  const proxy = await startFaultProxy({
    upstream: { path: redis.socketPath },
    random: fork(seed, 'producer'),
    protocol: 'redis',
  });
  const config = readConfig({ ...env, REDIS_URL: `redis://:${redis.password}@127.0.0.1:${proxy.port}` });
  const relay = openRelay(config);
  const random = fork(seed, 'calls');
  const acknowledged = new Map<string, Acknowledged>();
  const unacknowledged: OracleReport[] = [];
  const failedCalls: FailedCall[] = [];

  function note(report: OracleReport, result: EnqueueResult): void {
    if (result.status === 'invalid')
      throw new Error(`the oracle's own report was refused: ${report.syncJobId}`);
    const known = acknowledged.get(result.id);
    const entry = known ?? { ...report, jobId: result.id, atMs: Date.now(), queued: 0, duplicate: 0 };
    entry[result.status] += 1;
    if (known === undefined) acknowledged.set(result.id, entry);
  }

  async function call(reports: readonly OracleReport[]): Promise<boolean> {
    const startedAtMs = performance.now();
    try {
      const results = await relay.reportMany(
        reports.map(({ syncJobId, error }) => ({ connector_sync_job_id: syncJobId, error })),
      );
      results.forEach((result, index) => {
        const report = reports[index];
        if (report !== undefined) note(report, result);
      });
      return true;
    } catch (error) {
      failedCalls.push({
        atMs: Date.now(),
        durationMs: performance.now() - startedAtMs,
        name: error instanceof Error ? error.name : typeof error,
        message: error instanceof Error ? error.message : String(error),
      });
      return false;
    }
  }

  async function reportOnce(reports: readonly OracleReport[]): Promise<boolean> {
    const isThrough = await call(reports);
    if (!isThrough) unacknowledged.push(...reports);
    return isThrough;
  }

  async function report(reports: readonly OracleReport[]): Promise<void> {
    while (!(await call(reports))) await sleep(REPEAT_MS);
  }

  async function inflow(reports: readonly OracleReport[], perSecond: number): Promise<void> {
    const startedAtMs = performance.now();
    const calls: Promise<void>[] = [];
    let next = 0;
    while (next < reports.length) {
      const due = Math.min(
        reports.length,
        Math.floor(((performance.now() - startedAtMs) / 1_000) * perSecond),
      );
      const batch = reports.slice(next, due);
      if (random() < ALONE) calls.push(...batch.map((one) => report([one])));
      else if (batch.length > 0) calls.push(report(batch));
      next = Math.max(next, due);
      await sleep(random() < RESTING ? REST_MS : TICK_MS);
    }
    await Promise.all(calls);
  }

  return {
    relay,
    config,
    proxy,
    acknowledged,
    unacknowledged,
    failedCalls,
    report,
    reportOnce,
    inflow,
    note,
    async [Symbol.asyncDispose]() {
      await relay.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}
