import type { Check } from '../pipeline/diagnosis.ts';
import { displayWidth, escapeControl, formatCount, paint } from './output.ts';

const GAP = '  ';

const COLOURS = { ok: 'green', warning: 'yellow', failed: 'red' } as const;

/** Narrower than this, text is let run on: one word a line helps nobody. */
const MIN_TEXT_WIDTH = 24;

/** Lines for a terminal: a check each, what to do below it, and the count at the end. */
export function renderChecks(checks: readonly Check[], width: number): string[] {
  const nameWidth = Math.max(...checks.map(({ name }) => name.length));
  const statusWidth = 'warning'.length;
  const indent = nameWidth + statusWidth + 2 * GAP.length;
  const textWidth = Math.max(MIN_TEXT_WIDTH, width - indent);
  const lines = checks.flatMap(({ name, status, detail, advice }) => {
    const [first = '', ...more] = wrap(escapeControl(detail), textWidth);
    const todo =
      advice === undefined
        ? []
        : wrap(escapeControl(advice), textWidth - 2).map(
            (line, index) => `${index === 0 ? '→' : ' '} ${line}`,
          );
    return [
      `${name.replaceAll('_', ' ').padEnd(nameWidth)}${GAP}${paint(COLOURS[status], status.padEnd(statusWidth))}${GAP}${first}`,
      ...more.map((line) => ' '.repeat(indent) + line),
      ...todo.map((line) => ' '.repeat(indent) + paint('bold', line)),
    ];
  });
  return [...lines, '', summaryOf(checks)];
}

function summaryOf(checks: readonly Check[]): string {
  const count = (status: Check['status']): number => checks.filter((check) => check.status === status).length;
  const [bad, doubtful] = [count('failed'), count('warning')];
  if (bad > 0) {
    const warnings = doubtful === 0 ? '' : `, ${formatCount(doubtful, 'warning')}`;
    return paint('red', `${formatCount(bad, 'check')} failed${warnings}.`);
  }
  return doubtful > 0
    ? paint('yellow', `Nothing failed; ${formatCount(doubtful, 'warning')}.`)
    : paint('green', 'All is well.');
}

/** The text in lines of at most so many columns, broken between words where that is possible. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && displayWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
