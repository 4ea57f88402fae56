import { escapeControl } from './escape-control.ts';

/** A column of a table. */
export interface Column {
  readonly header: string;
  /** Where its cells stand; left where absent. */
  readonly align?: 'left' | 'right';
  /** May be cut with an ellipsis where the table is too wide, down to so many characters; never where absent. */
  readonly minWidth?: number;
  /** Colours a cell after it has been cut and padded. */
  readonly paint?: (cell: string) => string;
}

const GAP = '  ';

/**
 * Lines of a table with a header, made to fit a width by cutting the columns that allow it, the widest
 * first. Cells may hold anything: what would act on a terminal is spelt out.
 *
 * @param width characters a line may take; Infinity where nothing has to fit
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): string[] {
  const cells = rows.map((row) => row.map(escapeControl));
  const natural = columns.map(({ header }, index) =>
    Math.max(displayWidth(header), ...cells.map((row) => displayWidth(row[index] ?? ''))),
  );
  const widths = fitWidths(columns, natural, width - GAP.length * (columns.length - 1));
  const line = (row: readonly string[], isHeader: boolean): string =>
    columns
      .map((column, index) => {
        const cell = pad(cut(row[index] ?? '', widths[index] ?? 0), widths[index] ?? 0, column.align);
        // Spaces at the end of a line help nobody and break lines on a narrow terminal.
        const shown = index === columns.length - 1 ? cell.trimEnd() : cell;
        return isHeader || column.paint === undefined ? shown : column.paint(shown);
      })
      .join(GAP);
  const header = columns.map((column) => column.header);
  return [line(header, true), ...cells.map((row) => line(row, false))].map((text) => text.trimEnd());
}

function fitWidths(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, each) => sum + each, 0) - width;
  while (excess > 0) {
    const widest = columns.reduce((best, { minWidth }, index) => {
      if (minWidth === undefined || (widths[index] ?? 0) <= minWidth) return best;
      return best < 0 || (widths[index] ?? 0) > (widths[best] ?? 0) ? index : best;
    }, -1);
    if (widest < 0) return widths;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
  return widths;
}

/** The text, or its beginning and an ellipsis, in at most so many columns of a terminal. */
export function cut(text: string, width: number): string {
  let columns = 0;
  let index = 0;
  let cutAt = 0;
  for (const character of text) {
    columns += widthOf(character);
    if (columns > width) return `${text.slice(0, cutAt)}…`;
    index += character.length;
    // The ellipsis takes the last column.
    if (columns < width) cutAt = index;
  }
  return text;
}

function pad(text: string, width: number, align: Column['align']): string {
  const spaces = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'right' ? spaces + text : text + spaces;
}

/** How many columns of a terminal the text takes up: East Asian scripts and emoji take two each. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

const ASCII = /^[\x20-\x7e]$/;
const MARK = /\p{M}/u;
const WIDE =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

function widthOf(character: string): number {
  if (ASCII.test(character)) return 1;
  if (MARK.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
