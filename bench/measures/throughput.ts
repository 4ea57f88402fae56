import type { ContenderName } from '../contenders/contender.ts';
import { CONTENDERS } from '../contenders/index.ts';
import type { Figure } from '../figures/figure.ts';
import { type Run, runContender } from '../stage/run-contender.ts';
import { inRounds } from './in-rounds.ts';
import type { Measure } from './measure.ts';

const AT_ONCE: readonly ContenderName[] = [
  'ours',
  'ours_batch',
  'straightforward',
  'bare',
  'direct',
  'bee',
  'streams',
];

/** Against a slow server the queue is not what holds a worker up, and fewer say enough. */
const AGAINST_LATENCY: readonly ContenderName[] = ['ours', 'ours_batch', 'straightforward', 'direct'];

const LATENCIES_MS = [0, 5, 20, 100] as const;

/** Reports that one process takes to Elasticsearch in a second, and what each costs, with a full queue. */
export const throughput: readonly Measure[] = LATENCIES_MS.map((latencyMs) => ({
  id: `throughput_${latencyMs}` as const,
  title: `One process with a full queue, Elasticsearch at ${latencyMs} ms`,
  async run({ stage, sizes, rounds, say, bestConcurrency }) {
    const names = latencyMs === 0 ? AT_ONCE : AGAINST_LATENCY;
    const concurrency = new Map<ContenderName, number>();
    for (const name of names) concurrency.set(name, await bestConcurrency(CONTENDERS[name], latencyMs));

    const runs = await inRounds(rounds, names, async (name, round) => {
      const run = await runContender(CONTENDERS[name], stage, {
        concurrency: concurrency.get(name) ?? 0,
        latencyMs,
        warmUpReports: sizes.warmUpReports,
        measuredReports: sizes.measuredReports,
      });
      say(
        `round ${round + 1}, ${latencyMs} ms, ${name}: ${Math.round(run.perSecond)}/s, ` +
          `${Math.round(run.workerMicros)} + ${Math.round(run.redisMicros)} µs, ${Math.round(run.peakRssMiB)} MiB`,
      );
      return run;
    });
    return [...runs].flatMap(([name, of]) => figuresOf(name, latencyMs, concurrency.get(name) ?? 0, of));
  },
}));

function figuresOf(
  name: ContenderName,
  latencyMs: number,
  concurrency: number,
  runs: readonly Run[],
): readonly Figure[] {
  const { title, isTuned } = CONTENDERS[name];
  const figure = (part: string, unit: Figure['unit'], what: string, value: (run: Run) => number): Figure => ({
    key: `throughput_${latencyMs}.${part}.${name}`,
    title: `${title}${isTuned ? `, ${concurrency} at once` : ''}: ${what}`,
    unit,
    samples: runs.map(value),
  });
  return [
    figure('rate', 'reports/s', 'applied', ({ perSecond }) => perSecond),
    figure('worker_cpu', 'µs', 'CPU a report, process', ({ workerMicros }) => workerMicros),
    figure('redis_cpu', 'µs', 'CPU a report, Redis', ({ redisMicros }) => redisMicros),
    figure('sink_cpu', 'µs', 'CPU a report, server', ({ sinkMicros }) => sinkMicros),
    figure('rss', 'MiB', 'peak RSS', ({ peakRssMiB }) => peakRssMiB),
  ];
}
