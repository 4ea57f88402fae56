/** `npm run battery -- --rows R1,R8 --seed 7 [--short] [--json] [--log FILE] [--minutes N]`; docs/reliability.md says what it shows. */
import { parseArgs } from 'node:util';
import { openLogFile } from './log-file.ts';
import { describe } from './print.ts';
import { ROWS } from './rows/index.ts';
import type { Row } from './rows/row.ts';
import { type RowResult, runRows } from './run-rows.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    seed: { type: 'string' },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    log: { type: 'string' },
    minutes: { type: 'string' },
  },
});

const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
if (!Number.isSafeInteger(seed)) throw new Error(`--seed: expected a whole number, got ${values.seed}`);
const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
if (minutes !== undefined && !(minutes > 0))
  throw new Error(`--minutes: expected a number above 0, got ${values.minutes}`);
const form = values.short ? 'short' : 'full';
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const log = values.log === undefined ? () => undefined : openLogFile(values.log);

// What runs at the exit ends what was started.
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));

say(`seed ${seed}, ${form} form; --seed ${seed} runs the same again`);
const results: RowResult[] = [];
for await (const result of runRows(pick(values.rows), seed, form, {
  say,
  log,
  ...(minutes === undefined ? {} : { minutes }),
})) {
  results.push(result);
  if (!values.json) console.log(`${describe(result)}\n`);
}
const failed = results.filter(({ passed }) => !passed).map(({ row }) => row);
if (values.json)
  console.log(JSON.stringify({ seed, form, passed: failed.length === 0, rows: results }, null, 2));
else console.log(failed.length === 0 ? `${results.length} rows hold.` : `Not held: ${failed.join(', ')}`);
if (failed.length > 0) process.exitCode = 1;

function pick(names: string | undefined): readonly Row[] {
  if (names === undefined) return ROWS;
  return names.split(',').map((name) => {
    const row = ROWS.find(({ id }) => id === name.trim().toUpperCase());
    if (row === undefined)
      throw new Error(`--rows: expected some of ${ROWS.map(({ id }) => id).join(',')}, got ${name}`);
    return row;
  });
}
