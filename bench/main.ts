/** `npm run bench`; `--help` says what it takes, docs/performance.md what it measures. */
import { parseArgs } from 'node:util';
import { GOALS } from './figures/goals.ts';
import { MEASURES } from './measures/index.ts';
import { drawCharts } from './output/draw-charts.ts';
import { printTables } from './output/print-tables.ts';
import { toJson } from './output/to-json.ts';
import { writeDocs } from './output/write-docs.ts';
import { pickGoals, runMeasures } from './run-measures.ts';
import { SIZES, type SizeName } from './sizes.ts';

const CHARTS = new URL('../docs/images/', import.meta.url);
const DOCS = new URL('../docs/performance.md', import.meta.url);

const HELP = `Usage: npm run bench -- [options]

Measures enqueuing, working, latency, memory and recovery, side by side with other ways to do the same, and
judges the goals. Progress goes to standard error, results to standard output. The exit code is 1 where a goal
is missed.

  --json          one object: an entry for each goal, and every figure
  --only p1,p5    only the measures that these goals are made of
  --rounds N      rounds of each measure, taking turns (5, or what the size says)
  --quick         smaller sizes, about 4 minutes; its figures are rough
  --size NAME     full, quick, or tiny, which only shows that all works
  --charts DIR    where charts are written; with the full size and all measures it is docs/images/
  --docs          also write the figures into docs/performance.md
  --help          this

Goals: ${GOALS.map(({ key }) => key).join(', ')}
`;

const { values } = parseArgs({
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

// What runs at the exit ends what was started.
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));

if (values.help) process.stdout.write(HELP);
else await bench();

async function bench(): Promise<void> {
  const goals = pickGoals(values.only);
  const sizes = SIZES[sizeOf(values.size ?? (values.quick ? 'quick' : 'full'))];
  const startedAt = performance.now();
  const results = await runMeasures({
    goals,
    // A measure that no goal is made of runs where all do.
    measures: MEASURES.filter(
      ({ id }) => values.only === undefined || goals.some(({ measure }) => measure === id),
    ),
    sizes,
    rounds: roundsOf(values.rounds) ?? sizes.rounds,
    path: process.env['PATH'],
    say: (line) =>
      void process.stderr.write(
        `${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(5)} s  ${line}\n`,
      ),
  });
  const isWhole = values.only === undefined && sizes.name === 'full';
  const charts = values.charts ?? (isWhole ? CHARTS : undefined);
  if (charts !== undefined) await drawCharts(results.figures, charts);
  if (values.docs) await writeDocs(results, DOCS);
  process.stdout.write(`${values.json ? JSON.stringify(toJson(results), null, 2) : printTables(results)}\n`);
  process.exitCode = results.judgements.every(({ holds }) => holds) ? 0 : 1;
}

function sizeOf(name: string): SizeName {
  if (name === 'full' || name === 'quick' || name === 'tiny') return name;
  throw new RangeError(`--size: expected full, quick or tiny, got ${name}`);
}

function roundsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rounds = Number(text);
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new RangeError(`--rounds: expected a whole number from 1, got ${text}`);
  return rounds;
}
