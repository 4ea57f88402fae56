import type { DeadLetter } from '../../domain/dead-letter.ts';
import type { DeadLetterCounts, DeadLetterPage, DeadLetterQuery } from '../../pipeline/ports.ts';
import { formatCodes } from '../format-codes.ts';
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
} from '../output.ts';
import { withRelay } from '../with-relay.ts';

/** Which letters to list, and how many. */
export type ListQuery = DeadLetterQuery & { readonly offset: number };

/**
 * Prints a page of dead letters. Where they have to be looked for, the pages of the search are put together until
 * this one is full.
 */
export async function listDeadLetters(query: ListQuery, isJson: boolean): Promise<void> {
  const isPlain = Object.keys(query).every((key) => ['code', 'limit', 'offset'].includes(key));
  const { page, counts } = await withRelay(async ({ deadLetters }) => ({
    page: await fullPage(query, deadLetters.list),
    counts: isJson || !isPlain || query.code !== undefined ? {} : await deadLetters.counts(),
  }));
  if (isJson) printPage(page, query, isPlain);
  else for (const line of describePage(page, query, counts, lineWidth())) print(line);
}

async function fullPage(
  query: ListQuery,
  list: (query: DeadLetterQuery) => Promise<DeadLetterPage>,
): Promise<DeadLetterPage> {
  let page = await list(query);
  while (page.next !== undefined && page.isAtLeast === true && page.letters.length < query.limit) {
    const more = await list({ ...query, limit: query.limit - page.letters.length, cursor: page.next });
    page = { ...more, letters: [...page.letters, ...more.letters] };
  }
  return page;
}

/** Written letter by letter: a page of long errors may be longer than one string can be. */
function printPage(page: DeadLetterPage, { offset, limit }: ListQuery, isPlain: boolean): void {
  const { total, letters, next, isAtLeast } = page;
  const how = isPlain ? {} : { total_is_at_least: isAtLeast === true, next: next ?? null };
  const head = toSafeJson({ total, offset, limit, ...how, dead_letters: [] }).slice(0, -2);
  process.stdout.write(head);
  letters.forEach((letter, index) => {
    process.stdout.write(`${index === 0 ? '' : ','}${toSafeJson(letter)}`);
  });
  process.stdout.write(']}\n');
}

function describePage(
  page: DeadLetterPage,
  { code, offset, limit: _limit, cursor, ...filter }: ListQuery,
  counts: DeadLetterCounts,
  width: number,
): string[] {
  const isOther = Object.values(filter).some((value) => value !== undefined);
  if (page.total === 0) {
    if (isOther) return ['There are no such dead letters.'];
    return [
      code === undefined ? 'There are no dead letters.' : `There are no dead letters with the code ${code}.`,
    ];
  }
  if (page.letters.length === 0) {
    return [`${formatCount(page.total, 'dead letter')} in all; none from --offset ${offset} on.`];
  }
  const codes = formatCodes(counts);
  return [
    ...(width < WIDE ? renderPairs(page.letters, width) : renderWide(page.letters, width)),
    '',
    whichOf(page, offset, cursor !== undefined),
    ...(codes === '' ? [] : [`by code: ${codes}`]),
  ];
}

/** `51-100 of 1,916; next page: --offset 100`, or with a cursor where letters have to be looked for. */
function whichOf(
  { total, isAtLeast, letters, next }: DeadLetterPage,
  offset: number,
  byCursor: boolean,
): string {
  const all = `${isAtLeast === true ? 'at least ' : ''}${formatNumber(total)}`;
  if (byCursor) {
    const rest = next === undefined ? '' : `; next page: --cursor ${next}`;
    return `${formatNumber(letters.length)} of ${all}${rest}`;
  }
  const end = offset + letters.length;
  const rest = isAtLeast === true && next !== undefined ? `--cursor ${next}` : `--offset ${end}`;
  const more = isAtLeast === true || end < total ? `; next page: ${rest}` : '';
  return `${formatNumber(offset + 1)}-${formatNumber(end)} of ${all}${more}`;
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
