import { parseArgs } from 'node:util';
import { GOALS } from './figures/goals.ts';
import { SIZES, type Sizes } from './sizes.ts';

/** What the bench was asked for. */
export interface Options {
  readonly help: boolean;
  readonly json: boolean;
  /** Also writes the figures into docs/performance.md. */
  readonly docs: boolean;
  /** The goals that are judged, by their keys; all where absent. */
  readonly only: string | undefined;
  readonly sizes: Sizes;
  readonly rounds: number;
  /** Where charts go; undefined where nobody said. */
  readonly charts: string | undefined;
}

export const HELP: string = `Usage: npm run bench -- [options]

Measures enqueuing, working, latency, memory and recovery, side by side with other ways to do the same, and
judges the goals. Progress goes to standard error, results to standard output. The exit code is 1 where a goal
is missed, and 2 for wrong usage.

  --json          one object: an entry for each goal, and every figure
  --only p1,p5    only the measures that these goals are made of
  --rounds N      rounds of each measure, taking turns (${SIZES.full.rounds}, and ${SIZES.quick.rounds} with --quick)
  --quick         smaller sizes; its figures are rough
  --size NAME     full, quick, or tiny, which only shows that all works
  --charts DIR    where charts are written; a whole run of full size writes them to docs/images/ by itself
  --docs          also write charts and figures into docs/
  --help          this

Goals: ${GOALS.map(({ key }) => key).join(', ')}
`;

/** Reads the arguments. @throws {TypeError | RangeError} that say what is wrong with them */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      size: { type: 'string' },
      charts: { type: 'string' },
      docs: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const sizes = sizesOf(values.size ?? (values.quick ? 'quick' : 'full'));
  const { help, json, docs, only, charts } = values;
  if (docs && only !== undefined) throw new RangeError('--docs: the page shows all goals; leave --only out');
  return { help, json, docs, only, charts, sizes, rounds: roundsOf(values.rounds, sizes) };
}

function sizesOf(name: string): Sizes {
  if (name === 'full' || name === 'quick' || name === 'tiny') return SIZES[name];
  throw new RangeError(`--size: expected full, quick or tiny, got ${name}`);
}

function roundsOf(text: string | undefined, sizes: Sizes): number {
  if (text === undefined) return sizes.rounds;
  const rounds = Number(text);
  if (Number.isSafeInteger(rounds) && rounds >= 1) return rounds;
  throw new RangeError(`--rounds: expected a whole number from 1, got ${text}`);
}
