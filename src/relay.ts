import { readAccount } from './adapters/bullmq/account.ts';
import { checkRedis, RedisUnsuitable } from './adapters/bullmq/check-redis.ts';
import { connectRedis, RedisUnavailable } from './adapters/bullmq/connect-redis.ts';
import { stillLoading, unavailable } from './adapters/bullmq/describe-fault.ts';
import { checkDurability, onDiskConfirmer } from './adapters/bullmq/durability.ts';
import { findJob } from './adapters/bullmq/find-job.ts';
import { openFleetCounters } from './adapters/bullmq/fleet-counters.ts';
import { openReportQueue } from './adapters/bullmq/report-queue.ts';
import { loadTracing } from './adapters/observe/load-tracing.ts';
import type { Config } from './config.ts';
import { type DeadLetters, openDeadLetterDesk, RedriveRefused } from './dead-letters.ts';
import { type ErrorReport, errorReportParser, type ParsedReport } from './domain/error-report.ts';
import { countAccepted } from './pipeline/count-accepted.ts';
import { type EnqueueResult, enqueueReports } from './pipeline/enqueue-reports.ts';
import { locateReport, type Whereabouts } from './pipeline/locate-report.ts';
import type { PauseNote, PauseResult, QueueAccount, QueueDepth, ResumeResult } from './pipeline/ports.ts';

/** The relay as producers and operators use it: reports go in, depth and dead letters come out. */
export interface Relay extends AsyncDisposable {
  /**
   * Enqueues one report.
   *
   * Anything may be passed; what is not a report is refused in the result, never thrown. Repeating a call
   * is harmless.
   *
   * @throws {RedisUnavailable} where Redis does not answer in time; whether the report was accepted is then
   * unknown, and the call should be repeated
   * @throws {RedisUnsuitable} where this Redis would lose reports
   */
  report(report: ErrorReport | unknown): Promise<EnqueueResult>;
  /**
   * Enqueues any number of reports and returns a result for each, in their order. One that is not a report
   * stops nothing.
   *
   * @throws as `report` does; some of the reports may then have been accepted, and the call should be repeated
   */
  reportMany(reports: Iterable<unknown> | AsyncIterable<unknown>): Promise<readonly EnqueueResult[]>;
  /**
   * Enqueues a stream in bounded memory and yields a result for each item, in their order.
   *
   * @param parse reads an item; by default the items are reports
   * @throws as `report` does; the results yielded before then stand
   */
  reportEach<Item>(
    items: Iterable<Item> | AsyncIterable<Item>,
    parse?: (item: Item) => ParsedReport,
  ): AsyncGenerator<EnqueueResult, void, undefined>;
  /**
   * Makes sure now, and not at the first report, that Redis is there and fit to be trusted with reports.
   *
   * @throws as `report` does
   */
  check(): Promise<void>;
  /** Where the report with this id is now, `r-…` as its result said. @throws {RedisUnavailable} */
  locate(id: string): Promise<Whereabouts>;
  /** How the queue stands. @throws {RedisUnavailable} */
  depth(): Promise<QueueDepth>;
  /** What the queue has taken in since it began, and whether all of it is somewhere. @throws {RedisUnavailable} */
  account(): Promise<QueueAccount>;
  /**
   * Keeps every worker from taking reports until `resume`; reports are still accepted, and what is under way is
   * finished. A pause has no end of its own.
   *
   * @throws {RedisUnavailable}
   */
  pause(note: PauseNote): Promise<PauseResult>;
  /** Lets workers take reports again. @throws {RedisUnavailable} */
  resume(): Promise<ResumeResult>;
  /** The reports that are not tried again by themselves. */
  readonly deadLetters: DeadLetters;
  /** Lets go of Redis; may be called twice. */
  close(): Promise<void>;
}

/** Opens a relay. It connects in the background; a Redis that is away shows at the first call. */
export function openRelay(config: Pick<Config, 'redis' | 'names' | 'reports'>): Relay {
  const { url, enqueueTimeoutMs, durability, freshFirst } = config.redis;
  const redis = connectRedis(url, 'producer', () => undefined, enqueueTimeoutMs);
  const isOnDisk = durability === 'fsync';
  const queue = openReportQueue(redis, config.names, {
    confirmOnDisk: isOnDisk ? onDiskConfirmer(redis, enqueueTimeoutMs) : undefined,
    freshFirst,
  });
  const parse = errorReportParser(config.reports);
  const desk = openDeadLetterDesk(redis, config.names, parse, asking);
  const accepted = countAccepted(openFleetCounters(redis, config.names), Date.now);
  let suitable: Promise<unknown> | undefined;
  let closed: Promise<void> | undefined;

  async function makeSure(): Promise<void> {
    const facts = await checkRedis(redis);
    if (facts.isLoading) throw stillLoading(redis);
    if (isOnDisk) await checkDurability(redis, facts, enqueueTimeoutMs);
  }

  /** Asks Redis for something, after having made sure, once, that it may be trusted with reports. */
  async function asking<T>(work: () => Promise<T>): Promise<T> {
    try {
      suitable ??= makeSure();
      await suitable;
      return await work();
    } catch (cause) {
      suitable = undefined;
      if (cause instanceof RedisUnsuitable || cause instanceof RedisUnavailable) throw cause;
      // What the caller has asked for is at fault, not Redis.
      if (cause instanceof RedriveRefused || cause instanceof RangeError) throw cause;
      throw unavailable(redis, cause);
    }
  }

  async function* reportEach<Item>(
    items: Iterable<Item> | AsyncIterable<Item>,
    parseItem: (item: Item) => ParsedReport = parse,
  ): AsyncGenerator<EnqueueResult, void, undefined> {
    const add: typeof queue.add = async (reports) => {
      const results = await asking(() => queue.add(reports));
      accepted.count(results.filter((result) => result === 'queued').length);
      return results;
    };
    const tracing = await loadTracing();
    const followed = tracing?.additions(config.names.queue, add) ?? add;
    yield* enqueueReports(items, parseItem, { add: followed }, Date.now);
  }

  return {
    async report(report) {
      const [result] = await Array.fromAsync(reportEach([report]));
      if (result === undefined) throw new Error('one report gave no result');
      return result;
    },
    async reportMany(reports) {
      const results: EnqueueResult[] = [];
      try {
        for await (const result of reportEach(reports)) results.push(result);
        return results;
      } catch (cause) {
        throw cause instanceof RedisUnavailable ? withResults(cause, results) : cause;
      }
    },
    reportEach,
    check: () => asking(async () => undefined),
    locate: (id) =>
      locateReport(id, {
        findJob: (jobId) => asking(() => findJob(redis, config.names, jobId)),
        findLetter: desk.deadLetters.get,
      }),
    depth: () => asking(() => queue.depth()),
    account: () => asking(() => readAccount(redis, config.names)),
    pause: (note) => asking(() => queue.pause(note)),
    resume: () => asking(() => queue.resume()),
    deadLetters: desk.deadLetters,
    close: () =>
      (closed ??= accepted
        .close()
        .then(() => Promise.all([queue.close(), desk.close()]))
        .then(() => redis.release())),
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}

/** The failure of a call that had got so far; its results are lost with it, their number should not be. */
function withResults(failure: RedisUnavailable, results: readonly EnqueueResult[]): RedisUnavailable {
  const accepted = failure.accepted + results.filter(({ status }) => status !== 'invalid').length;
  if (accepted === failure.accepted) return failure;
  return new RedisUnavailable(`${failure.message}; of the whole call at least ${accepted} were accepted`, {
    cause: failure.cause,
    accepted,
  });
}
