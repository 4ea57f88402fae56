import { CONTENDERS } from '../contenders/index.ts';
import type { Figure } from '../figures/figure.ts';
import { type Child, startChild } from '../stage/child.ts';
import type { Stage } from '../stage/stage.ts';
import { usageOf } from '../stage/usage.ts';
import { inRounds } from './in-rounds.ts';
import type { Measure } from './measure.ts';

const LATENCY_MS = 5;

/** So that the slack at the queue's end is no part of it. */
const LEFT_OVER = 1_000;

interface Fleet {
  readonly perSecond: number;
  /** Of all workers and Redis, a report. */
  readonly cpuMicros: number;
  readonly rssMiB: number;
}

/** What more workers bring on the same machine, and cost. */
export const workers: Measure = {
  id: 'workers',
  title: `Workers on one machine, one report a job, Elasticsearch at ${LATENCY_MS} ms`,
  async run({ stage, sizes, rounds, say }) {
    const fleets = await inRounds(rounds, sizes.workers.map(String), async (count, round) => {
      const fleet = await runFleet(stage, Number(count), sizes.warmUpReports, sizes.measuredReports);
      say(
        `round ${round + 1}, ${count} workers: ${Math.round(fleet.perSecond)}/s, ${Math.round(fleet.cpuMicros)} µs`,
      );
      return fleet;
    });
    return [...fleets].flatMap(([count, of]): Figure[] => {
      const title = count === '1' ? '1 worker' : `${count} workers`;
      return [
        {
          key: `workers.rate.${count}`,
          title: `${title}: applied`,
          unit: 'reports/s',
          samples: of.map(({ perSecond }) => perSecond),
        },
        {
          key: `workers.cpu.${count}`,
          title: `${title}: CPU a report, workers and Redis`,
          unit: 'µs',
          samples: of.map(({ cpuMicros }) => cpuMicros),
        },
        {
          key: `workers.rss.${count}`,
          title: `${title}: peak RSS, all together`,
          unit: 'MiB',
          samples: of.map(({ rssMiB }) => rssMiB),
        },
      ];
    });
  },
};

async function runFleet(
  { redis, sink, logFolder }: Stage,
  count: number,
  warmUp: number,
  measured: number,
): Promise<Fleet> {
  const { ours } = CONTENDERS;
  const place = { redisUrl: redis.url, elasticsearchUrl: sink.url };
  const reports = warmUp + measured + LEFT_OVER;
  await redis.client.flushall();
  await sink.reset({ latencyMs: LATENCY_MS });
  await ours.fill(place, 0, reports);
  await using stack = new AsyncDisposableStack();
  const fleet: readonly Child[] = Array.from({ length: count }, () =>
    stack.use(
      startChild(ours.command({ ...place, concurrency: 0, reports }), { logFolder, name: 'our worker' }),
    ),
  );
  const cpuMs = (): number =>
    fleet.reduce((sum, worker) => sum + worker.usage().cpuMs, usageOf(redis.pid).cpuMs);
  const whileAllLive = <T>(work: Promise<T>): Promise<T> =>
    Promise.race(fleet.map((worker) => worker.during(work)));
  const from = await whileAllLive(sink.reach(warmUp));
  const before = cpuMs();
  const to = await whileAllLive(sink.reach(warmUp + measured));
  const after = cpuMs();
  const done = to.count - from.count;
  return {
    perSecond: (done * 1_000) / (to.atMs - from.atMs),
    cpuMicros: ((after - before) * 1_000) / done,
    rssMiB: fleet.reduce((sum, worker) => sum + worker.usage().peakRssMiB, 0),
  };
}
