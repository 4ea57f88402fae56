import type { RowResult } from './run-rows.ts';

/** A row's result for people: one line a demand, with its figure. */
export function describe(result: RowResult): string {
  const head = `${result.row}  ${result.fault}  (seed ${result.seed}, ${result.form}, ${(result.durationMs / 1_000).toFixed(1)} s)  ${result.passed ? 'PASS' : 'FAIL'}`;
  const lines = result.findings.map(
    ({ invariant, holds, figure, demand }) =>
      `  ${holds ? 'PASS' : 'FAIL'}  ${invariant.padEnd(24)}  ${figure}${holds ? '' : `   [demanded: ${demand}]`}`,
  );
  return [
    head,
    ...lines,
    ...(result.error === undefined ? [] : [`  FAIL  broke down: ${result.error}`]),
  ].join('\n');
}
