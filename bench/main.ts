/** `npm run bench`; `--help` says what it takes, docs/performance.md what it measures. */
import type { Goal } from './figures/goals.ts';
import { MEASURES } from './measures/index.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { drawCharts } from './output/draw-charts.ts';
import { printTables } from './output/print-tables.ts';
import { toJson } from './output/to-json.ts';
import { writeDocs } from './output/write-docs.ts';
import { pickGoals, runMeasures } from './run-measures.ts';

const CHARTS = new URL('../docs/images/', import.meta.url);
const PAGE = new URL('../docs/performance.md', import.meta.url);

// What runs at the exit ends what was started.
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));

const asked = read();
if (asked?.options.help === true) process.stdout.write(HELP);
else if (asked !== undefined) await bench(asked.options, asked.goals);

function read(): { readonly options: Options; readonly goals: readonly Goal[] } | undefined {
  try {
    const options = readOptions(process.argv.slice(2));
    return { options, goals: pickGoals(options.only) };
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

async function bench(
  { json, only, docs, charts, sizes, rounds }: Options,
  goals: readonly Goal[],
): Promise<void> {
  const startedAt = performance.now();
  const results = await runMeasures({
    goals,
    // A measure that no goal is made of runs where all do.
    measures: MEASURES.filter(({ id }) => only === undefined || goals.some(({ measure }) => measure === id)),
    sizes,
    rounds,
    path: process.env['PATH'],
    say: (line) => {
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
      process.stderr.write(`${seconds.padStart(5)} s  ${line}\n`);
    },
  });
  const isWhole = only === undefined && sizes.name === 'full';
  const folder = charts ?? (isWhole ? CHARTS : undefined);
  if (folder !== undefined) await drawCharts(results.figures, folder);
  if (docs) await writeDocs(results, await drawCharts(results.figures, CHARTS), PAGE);
  process.stdout.write(`${json ? JSON.stringify(toJson(results), null, 2) : printTables(results)}\n`);
  process.exitCode = results.judgements.every(({ holds }) => holds) ? 0 : 1;
}
