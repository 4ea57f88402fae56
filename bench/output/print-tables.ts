import { summaryOf } from '../figures/statistics.ts';
import type { Results } from '../run-measures.ts';
import { describeRun } from './describe-run.ts';
import { formatValue } from './format.ts';

/** All of it as text for a terminal. */
export function printTables(results: Results): string {
  const lines = [...describeRun(results), ''];
  for (const { title, figures } of results.tables) {
    lines.push(title);
    for (const figure of figures) {
      const { median, min, max } = summaryOf(figure.samples);
      lines.push(
        `  ${figure.title.padEnd(84)} ${formatValue(median, figure.unit).padStart(16)}   ${formatValue(min)} – ${formatValue(max)}`,
      );
    }
    lines.push('');
  }
  lines.push('Goals');
  for (const { key, text, median, min, max, unit, goal, holds } of results.judgements) {
    const spread = `${formatValue(min)} – ${formatValue(max)}`;
    lines.push(
      `  ${holds ? 'holds ' : 'MISSED'}  ${key.padEnd(16)} ${formatValue(median, unit).padStart(9)}  ${goal.padEnd(10)} ${spread.padEnd(17)} ${text}`,
    );
  }
  return lines.join('\n');
}
