import type { DeadLetter } from '../domain/dead-letter.ts';
import type { DeadLetterCounts, DeadLetterPage, DeadLetterQuery } from '../pipeline/ports.ts';
import { formatCodes } from './format-codes.ts';
import {
  type Column,
  cut,
  escapeControl,
  formatCount,
  formatNumber,
  lineWidth,
  paint,
  print,
  renderTable,
  toSafeJson,
} from './output.ts';
import { withRelay } from './with-relay.ts';

/** Prints a page of dead letters. */
export async function listDeadLetters(query: DeadLetterQuery, isJson: boolean): Promise<void> {
  const { page, counts } = await withRelay(async ({ deadLetters }) => ({
    page: await deadLetters.list(query),
    counts: isJson || query.code !== undefined ? {} : await deadLetters.counts(),
  }));
  if (isJson) printPage(page, query);
  else for (const line of describePage(page, query, counts, lineWidth())) print(line);
}

/** Written letter by letter: a page of long errors may be longer than one string can be. */
function printPage({ total, letters }: DeadLetterPage, { offset, limit }: DeadLetterQuery): void {
  const head = toSafeJson({ total, offset, limit, dead_letters: [] }).slice(0, -2);
  process.stdout.write(head);
  letters.forEach((letter, index) => {
    process.stdout.write(`${index === 0 ? '' : ','}${toSafeJson(letter)}`);
  });
  process.stdout.write(']}\n');
}

function describePage(
  page: DeadLetterPage,
  { code, offset }: DeadLetterQuery,
  counts: DeadLetterCounts,
  width: number,
): string[] {
  if (page.total === 0) {
    return [
      code === undefined ? 'There are no dead letters.' : `There are no dead letters with the code ${code}.`,
    ];
  }
  if (page.letters.length === 0) {
    return [`${formatCount(page.total, 'dead letter')} in all; none from --offset ${offset} on.`];
  }
  const end = offset + page.letters.length;
  const rest = end < page.total ? `; next page: --offset ${end}` : '';
  const codes = formatCodes(counts);
  return [
    ...(width < WIDE ? renderPairs(page.letters, width) : renderWide(page.letters, width)),
    '',
    `${formatNumber(offset + 1)}-${formatNumber(end)} of ${formatNumber(page.total)}${rest}`,
    ...(codes === '' ? [] : [`by code: ${codes}`]),
  ];
}

/** From this width on a letter fits on one line with something to read in it. */
const WIDE = 130;

/** Characters of a cell where the output is not a terminal, and nothing has to fit. */
const MAX_CELL = 200;

const dim = (text: string): string => paint('dim', text);
const red = (text: string): string => paint('red', text);

function renderWide(letters: readonly DeadLetter[], width: number): string[] {
  const columns: readonly Column[] = [
    { header: 'DEAD AT (UTC)', paint: dim },
    { header: 'CODE', paint: red },
    { header: 'SYNC JOB', minWidth: 20 },
    { header: 'ERROR', minWidth: 20 },
    { header: 'ID' },
  ];
  const rows = letters.map((letter) => [
    timeOf(letter),
    letter.code,
    syncJobOf(letter),
    errorOf(letter),
    letter.id,
  ]);
  return renderTable(columns, rows, width);
}

/** Two lines a letter, because an id that is cut off cannot be asked for. */
function renderPairs(letters: readonly DeadLetter[], width: number): string[] {
  const columns: readonly Column[] = [
    { header: 'DEAD AT (UTC)', paint: dim },
    { header: 'CODE', paint: red },
    { header: 'SYNC JOB', minWidth: 8 },
  ];
  const rows = letters.map((letter) => [timeOf(letter), letter.code, syncJobOf(letter)]);
  const [header = '', ...lines] = renderTable(columns, rows, width);
  return [
    header,
    ...lines.flatMap((line, index) => {
      const letter = letters[index];
      if (letter === undefined) return [line];
      const id = escapeControl(letter.id);
      return [
        line,
        `  ${id}  ${dim(cut(escapeControl(errorOf(letter)), Math.max(10, width - id.length - 4)))}`,
      ];
    }),
  ];
}

/** `2026-11-23 09:30:12` */
function timeOf(letter: DeadLetter): string {
  return letter.dead_at.slice(0, 19).replace('T', ' ');
}

function syncJobOf(letter: DeadLetter): string {
  return letter.report?.connector_sync_job_id ?? '-';
}

function errorOf(letter: DeadLetter): string {
  const text = letter.report?.error ?? letter.payload ?? '';
  // Long before any terminal ends; a text of a megabyte need not be searched for its line's end.
  const [first = ''] = text
    .slice(0, 2 * MAX_CELL)
    .trimStart()
    .split(/\r?\n/, 1);
  return cut(first, MAX_CELL);
}
