/** The reliability battery in its short form: every row, held to every figure. docs/reliability.md */
import { describe, expect, test } from 'vitest';
import { describe as print } from '../../battery/print.ts';
import { ROWS } from '../../battery/rows/index.ts';
import { runRows } from '../../battery/run-rows.ts';

const ROW_TIMEOUT_MS = 240_000;

/** Decides every chance; another one has to do as well. */
const SEED = Number(process.env['BATTERY_SEED'] ?? 7);

/** What is known not to hold yet, by row. Nothing else may fail, and what is mended goes from here. */
const OPEN: Readonly<Record<string, readonly string[]>> = {};

describe.concurrent('the short form of the reliability battery', () => {
  test.each(ROWS.map((row) => [row.id, row.fault, row] as const))(
    '%s holds: %s',
    async (id, _fault, row) => {
      const quiet = { say: () => undefined, log: () => undefined };
      for await (const result of runRows([row], SEED, 'short', quiet)) {
        console.log(print(result));
        expect(result.error).toBeUndefined();
        expect(result.findings.length).toBeGreaterThan(0);
        const open = OPEN[id] ?? [];
        const broken = result.findings.filter(({ holds, invariant }) => !holds && !open.includes(invariant));
        expect(broken).toEqual([]);
      }
    },
    ROW_TIMEOUT_MS,
  );
});
