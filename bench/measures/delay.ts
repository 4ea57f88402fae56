import type { ContenderName } from '../contenders/contender.ts';
import { CONTENDERS } from '../contenders/index.ts';
import type { Figure } from '../figures/figure.ts';
import { percentile } from '../figures/statistics.ts';
import { type SteadyProduction, startSteadyProducer } from '../producers/steady.ts';
import { startChild } from '../stage/child.ts';
import { runContender } from '../stage/run-contender.ts';
import { inRounds } from './in-rounds.ts';
import type { Measure, MeasureContext } from './measure.ts';

type Delayed = Extract<ContenderName, 'ours' | 'straightforward' | 'direct'>;

const WAYS: Readonly<Record<Delayed, SteadyProduction['way']>> = {
  ours: 'relay',
  straightforward: 'bullmq',
  direct: 'direct',
};

const LATENCY_MS = 5;
const CALM_PER_SECOND = 50;
/** Enough for percentiles where few come in a second. */
const CALM_FACTOR = 1.5;

interface Delays {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Applied in a second while reports come. */
  readonly perSecond: number;
}

/** How long a report takes from the call that hands it in to Elasticsearch's answer. */
export const delay: Measure = {
  id: 'delay',
  title: `From the call to Elasticsearch's answer, Elasticsearch at ${LATENCY_MS} ms`,
  async run(context) {
    const { rounds, sizes, say } = context;
    const calm = await inRounds(rounds, ['ours', 'straightforward', 'direct'], async (name, round) => {
      const delays = await measure(name, CALM_PER_SECOND, sizes.steadyMs * CALM_FACTOR, context);
      say(
        `round ${round + 1}, ${CALM_PER_SECOND}/s, ${name}: p50 ${delays.p50Ms.toFixed(2)} ms, p99 ${delays.p99Ms.toFixed(2)} ms`,
      );
      return delays;
    });
    const figures = [...calm].flatMap(([name, delays]) =>
      figuresOf('', `${CONTENDERS[name].title} at ${CALM_PER_SECOND}/s`, name, delays),
    );

    const most = new Map<Delayed, number>();
    for (const name of ['ours', 'straightforward'] as const) most.set(name, await capacity(name, context));
    const subjects = sizes.loads.flatMap((load) => [`ours ${load}`, `straightforward ${load}`] as const);
    const loaded = await inRounds(rounds, subjects, async (subject, round) => {
      const [name = 'ours', load = ''] = subject.split(' ') as [Delayed, string];
      const perSecond = ((most.get(name) ?? 0) * Number(load)) / 100;
      const delays = await measure(name, perSecond, sizes.steadyMs, context);
      say(
        `round ${round + 1}, ${load} % load (${Math.round(perSecond)}/s), ${name}: ` +
          `p50 ${delays.p50Ms.toFixed(2)} ms, p99 ${delays.p99Ms.toFixed(2)} ms`,
      );
      return delays;
    });
    for (const [subject, delays] of loaded) {
      const [name = 'ours', load = ''] = subject.split(' ') as [Delayed, string];
      const perSecond = Math.round(((most.get(name) ?? 0) * Number(load)) / 100);
      figures.push(
        ...figuresOf(
          `load_${load}.`,
          `${CONTENDERS[name].title} at ${load} % load, ${perSecond}/s`,
          name,
          delays,
        ),
      );
    }
    return figures;
  },
};

/** What a worker settles while a producer beside it hands in as much as it takes with a full queue. */
async function capacity(name: 'ours' | 'straightforward', context: MeasureContext): Promise<number> {
  const { stage, sizes, bestConcurrency, say } = context;
  const { perSecond: full } = await runContender(CONTENDERS[name], stage, {
    concurrency: await bestConcurrency(CONTENDERS[name], LATENCY_MS),
    latencyMs: LATENCY_MS,
    warmUpReports: sizes.warmUpReports,
    measuredReports: sizes.warmUpReports,
  });
  const { perSecond } = await measure(name, full, sizes.steadyMs, context);
  say(
    `${name}: ${Math.round(full)}/s with a full queue, ${Math.round(perSecond)}/s with a producer beside it`,
  );
  return perSecond;
}

async function measure(
  name: Delayed,
  perSecond: number,
  forMs: number,
  { stage, sizes, bestConcurrency }: MeasureContext,
): Promise<Delays> {
  const { redis, sink, logFolder } = stage;
  const contender = CONTENDERS[name];
  // Finding it out takes the stage for itself; the direct call has as many under way as there are reports.
  const concurrency = name === 'direct' ? 0 : await bestConcurrency(contender, LATENCY_MS);
  const warmUp = Math.ceil(sizes.warmUpReports / 2);
  const count = Math.max(10, Math.ceil((perSecond * forMs) / 1_000));
  await redis.client.flushall();
  await sink.reset({ latencyMs: LATENCY_MS, recorded: warmUp + count });
  const place = { redisUrl: redis.url, elasticsearchUrl: sink.url };
  await contender.fill(place, 0, warmUp);

  // The direct call's own producer does its work.
  await using worker =
    name === 'direct'
      ? undefined
      : startChild(
          contender.command({
            ...place,
            concurrency,
            reports: warmUp,
          }),
          { logFolder, name: contender.title },
        );
  const during = <T>(work: Promise<T>): Promise<T> => worker?.during(work) ?? work;
  if (worker !== undefined) await during(sink.reach(warmUp));
  await using producer = startSteadyProducer({
    ...place,
    way: WAYS[name],
    perSecond,
    from: warmUp,
    count,
  });
  const handedInAtMs = await during(producer.handedInAtMs);
  await during(sink.reach(warmUp + count));
  const answeredAtMs = (await sink.times()).subarray(warmUp);
  return delaysOf(handedInAtMs, answeredAtMs);
}

function delaysOf(handedInAtMs: Float64Array, answeredAtMs: Float64Array): Delays {
  const tookMs = answeredAtMs.map((atMs, index) => atMs - (handedInAtMs[index] ?? 0));
  // The second half of the time that reports come, when all runs evenly and nothing only drains yet.
  const [firstAtMs, lastAtMs] = [handedInAtMs.at(0) ?? 0, handedInAtMs.at(-1) ?? 0];
  const spanMs = (lastAtMs - firstAtMs) / 2;
  const answered = answeredAtMs.filter((atMs) => atMs > lastAtMs - spanMs && atMs <= lastAtMs).length;
  return {
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
    perSecond: (answered * 1_000) / spanMs,
  };
}

function figuresOf(part: string, title: string, name: Delayed, delays: readonly Delays[]): Figure[] {
  return [
    {
      key: `delay.${part}p50.${name}`,
      title: `${title}: median`,
      unit: 'ms',
      samples: delays.map(({ p50Ms }) => p50Ms),
    },
    {
      key: `delay.${part}p99.${name}`,
      title: `${title}: 99th percentile`,
      unit: 'ms',
      samples: delays.map(({ p99Ms }) => p99Ms),
    },
  ];
}
