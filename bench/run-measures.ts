import { type Figure, type FigureSet, figureSet } from './figures/figure.ts';
import { GOALS, type Goal } from './figures/goals.ts';
import { type Judgement, judge } from './figures/judge.ts';
import { describeMachine, type Machine } from './machine.ts';
import { concurrencyFinder } from './measures/find-concurrency.ts';
import type { Measure } from './measures/measure.ts';
import type { Sizes } from './sizes.ts';
import { measureSink, type SinkLimit } from './stage/sink-limit.ts';
import { setStage } from './stage/stage.ts';

/** Everything that one run of the bench found out. */
export interface Results {
  readonly size: Sizes['name'];
  readonly rounds: number;
  readonly tookSeconds: number;
  readonly machine: Machine;
  /** The server that load ran against, by itself. */
  readonly sink: SinkLimit;
  readonly judgements: readonly Judgement[];
  /** By measure, in the order they ran in. */
  readonly tables: readonly { readonly title: string; readonly figures: readonly Figure[] }[];
  readonly figures: FigureSet;
}

export interface RunOptions {
  readonly measures: readonly Measure[];
  /** Those that are judged. */
  readonly goals: readonly Goal[];
  readonly sizes: Sizes;
  readonly rounds: number;
  readonly path: string | undefined;
  readonly say: (line: string) => void;
}

/** Runs the measures one after the other on one stage, and judges what they say. */
export async function runMeasures({
  measures,
  goals,
  sizes,
  rounds,
  path,
  say,
}: RunOptions): Promise<Results> {
  const startedAt = performance.now();
  await using stage = await setStage(path);
  const sink = await measureSink(stage.sink, sizes.warmUpReports, sizes.measuredReports * 5);
  say(
    `the server by itself: ${Math.round(sink.perSecond)} requests a second, ${sink.cpuMicros.toFixed(1)} µs each`,
  );
  const bestConcurrency = concurrencyFinder(stage, sizes.sweepReports, say);
  const tables: { readonly title: string; readonly figures: readonly Figure[] }[] = [];
  for (const { title, run } of measures) {
    say(`== ${title} (${Math.round((performance.now() - startedAt) / 1_000)} s so far)`);
    tables.push({ title, figures: await run({ stage, sizes, rounds, say, bestConcurrency }) });
  }
  const figures = figureSet(tables.flatMap((table) => table.figures));
  return {
    size: sizes.name,
    rounds,
    tookSeconds: Math.round((performance.now() - startedAt) / 1_000),
    machine: describeMachine(stage.redis.description),
    sink,
    judgements: judge(goals, figures),
    tables,
    figures,
  };
}

/** The goals of these names, or all. @throws {RangeError} where there is no such goal */
export function pickGoals(names: string | undefined): readonly Goal[] {
  if (names === undefined) return GOALS;
  return names.split(',').map((name) => {
    const goal = GOALS.find(({ key }) => key === name.trim().toLowerCase());
    if (goal === undefined)
      throw new RangeError(`--only: expected some of ${GOALS.map(({ key }) => key).join(',')}, got ${name}`);
    return goal;
  });
}
