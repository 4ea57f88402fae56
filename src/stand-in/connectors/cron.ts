/** Schedules: cron expressions of six or seven parts, seconds first (general knowledge: Elasticsearch's `Cron`). */
import { illegalArgument } from '../errors/server-exception.ts';

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const days = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface Part {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Names that stand for numbers, the first for `from`. */
  readonly names?: readonly string[];
  /** Forms only this part knows. */
  readonly special?: RegExp;
}

const parts: readonly Part[] = [
  { name: 'Seconds', from: 0, to: 59 },
  { name: 'Minutes', from: 0, to: 59 },
  { name: 'Hour', from: 0, to: 23 },
  { name: 'Day of month', from: 1, to: 31, special: /^(\?|L(-\d+)?W?|\d+W)$/ },
  { name: 'Month', from: 1, to: 12, names: months },
  { name: 'Day-of-Week', from: 1, to: 7, names: days, special: /^(\?|L|([1-7]|[A-Z]{3})(L|#[1-5]))$/ },
  { name: 'Year', from: 1970, to: 2199 },
];

/** @throws ServerException 400 for an expression that is no schedule. */
export function checkCron(expression: string): void {
  const written = expression.trim().toUpperCase().split(/\s+/);
  if (written.length < 6 || written.length > parts.length)
    throw invalid(expression, 'Unexpected end of expression.');
  for (const [index, text] of written.entries()) {
    const part = parts[index];
    if (part === undefined) continue;
    for (const item of text.split(',')) {
      if (!isItem(part, item)) {
        throw invalid(expression, `${part.name} values must be between ${part.from} and ${part.to}`);
      }
    }
  }
  if ((written[3] === '?') === (written[5] === '?')) {
    if (written[3] === '?')
      throw invalid(expression, "'?' can only be specified for Day-of-Month -OR- Day-of-Week.");
  }
}

function isItem(part: Part, item: string): boolean {
  if (part.special?.test(item) === true) return true;
  const match = /^(\*|[A-Z]{3}|\d+)(?:-([A-Z]{3}|\d+))?(?:\/(\d+))?$/.exec(item);
  if (match === null) return false;
  const [, first = '', last, step] = match;
  if (step !== undefined && Number(step) > part.to) return false;
  return (first === '*' || isValue(part, first)) && (last === undefined || isValue(part, last));
}

function isValue(part: Part, text: string): boolean {
  if (part.names?.includes(text) === true) return true;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= part.from && value <= part.to;
}

function invalid(expression: string, reason: string): ReturnType<typeof illegalArgument> {
  return illegalArgument(`invalid cron expression [${expression}]: ${reason}`);
}
