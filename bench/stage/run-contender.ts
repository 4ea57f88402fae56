/**
 * One run of one contender:
 *
 * 1. Its queue is filled while nobody works.
 * 2. Its process is started, and the first reports are its warm-up.
 * 3. From then on time, CPU and memory are measured until so many more are applied; some are left over, so that
 *    the slack at a queue's end is no part of it.
 * 4. The process is ended and Redis emptied.
 */
import type { Contender } from '../contenders/contender.ts';
import { startChild } from './child.ts';
import type { Stage } from './stage.ts';
import { usageOf } from './usage.ts';

export interface RunOptions {
  /** Requests under way at once, of those contenders that leave it to somebody. */
  readonly concurrency: number;
  readonly latencyMs: number;
  readonly warmUpReports: number;
  readonly measuredReports: number;
}

/** What it came to. */
export interface Run {
  readonly perSecond: number;
  /** CPU time a report, in microseconds, of the contender's process, of Redis and of the server. */
  readonly workerMicros: number;
  readonly redisMicros: number;
  readonly sinkMicros: number;
  /** Most memory its process ever had. */
  readonly peakRssMiB: number;
}

/** Runs it. @throws {Error} where its process ends before its work is done */
export async function runContender(contender: Contender, stage: Stage, options: RunOptions): Promise<Run> {
  const { redis, sink, logFolder } = stage;
  const { warmUpReports, measuredReports, concurrency, latencyMs } = options;
  await redis.client.flushall();
  await sink.reset({ latencyMs });
  const leftOver = Math.max(100, 2 * concurrency);
  const reports = warmUpReports + measuredReports + leftOver;
  const place = { redisUrl: redis.url, elasticsearchUrl: sink.url };
  await contender.fill(place, 0, reports);

  await using worker = startChild(contender.command({ ...place, concurrency, reports }), {
    logFolder,
    name: contender.title,
  });
  const look = (): readonly number[] => [worker.pid, redis.pid, sink.pid].map((pid) => usageOf(pid).cpuMs);
  const from = await worker.during(sink.reach(warmUpReports));
  const before = look();
  const to = await worker.during(sink.reach(warmUpReports + measuredReports));
  const after = look();
  const { peakRssMiB } = worker.usage();
  await worker.kill();
  await redis.client.flushall();

  const count = to.count - from.count;
  const [workerMicros = 0, redisMicros = 0, sinkMicros = 0] = after.map(
    (cpuMs, index) => ((cpuMs - (before[index] ?? 0)) * 1_000) / count,
  );
  return {
    perSecond: (count * 1_000) / (to.atMs - from.atMs),
    workerMicros,
    redisMicros,
    sinkMicros,
    peakRssMiB,
  };
}
