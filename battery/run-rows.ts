import { performance } from 'node:perf_hooks';
import type { Finding } from './judge/finding.ts';
import type { Form, Row, RowContext } from './rows/row.ts';

/** What became of one row. */
export interface RowResult {
  readonly row: string;
  readonly fault: string;
  readonly seed: number;
  readonly form: Form;
  readonly sizes: object;
  readonly passed: boolean;
  readonly findings: readonly Finding[];
  readonly durationMs: number;
  /** Set where the run itself broke down. */
  readonly error?: string;
}

/** Runs rows one after the other; a row that breaks down has failed and stops nothing. */
export async function* runRows(
  rows: readonly Row[],
  seed: number,
  form: Form,
  { say, log, ...options }: Pick<RowContext, 'say' | 'log' | 'minutes'>,
): AsyncGenerator<RowResult> {
  for (const row of rows) {
    const startedAtMs = performance.now();
    const result = { row: row.id, fault: row.fault, seed, form, sizes: row.sizes[form] };
    const durationMs = (): number => Math.round(performance.now() - startedAtMs);
    try {
      const findings = await row.run({
        ...options,
        seed,
        form,
        log,
        say: (line) => say(`${row.id}: ${line}`),
      });
      const passed = findings.length > 0 && findings.every(({ holds }) => holds);
      yield { ...result, passed, findings, durationMs: durationMs() };
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      yield { ...result, passed: false, findings: [], durationMs: durationMs(), error: text };
    }
  }
}
