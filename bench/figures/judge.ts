import type { FigureSet } from './figure.ts';
import type { Demand, Goal } from './goals.ts';
import { type Summary, summaryOf } from './statistics.ts';

/** A goal with what was measured. */
export interface Judgement extends Summary {
  readonly key: string;
  readonly text: string;
  /** The value for a goal that is a ratio; for one in ms or s, the value against what is demanded. */
  readonly ratio: number;
  readonly unit: 'ratio' | 'ms' | 's';
  /** `>= 1.3`, `<= 3 ms`. */
  readonly goal: string;
  readonly holds: boolean;
}

/** Judges the median of each goal; those whose figures are missing are left out. */
export function judge(goals: readonly Goal[], figures: FigureSet): readonly Judgement[] {
  return goals.flatMap((goal) => {
    const samples = goal.samples(figures);
    return samples === undefined ? [] : [judgeOne(goal, samples)];
  });
}

function judgeOne({ key, text, demand, unit }: Goal, samples: readonly number[]): Judgement {
  const summary = summaryOf(samples);
  return {
    key,
    text,
    ...summary,
    ratio: unit === undefined ? summary.median : summary.median / boundOf(demand),
    unit: unit ?? 'ratio',
    goal: describeDemand(demand, unit),
    holds: meets(summary.median, demand),
  };
}

/** Whether a value is what is demanded; what is no number never is. */
export function meets(value: number, demand: Demand): boolean {
  return 'atLeast' in demand ? value >= demand.atLeast : value <= demand.atMost;
}

function boundOf(demand: Demand): number {
  return 'atLeast' in demand ? demand.atLeast : demand.atMost;
}

function describeDemand(demand: Demand, unit: string | undefined): string {
  const relation = 'atLeast' in demand ? '>=' : '<=';
  return `${relation} ${boundOf(demand)}${unit === undefined ? '' : ` ${unit}`}`;
}
