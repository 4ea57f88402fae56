/** The part of a document below a heading, up to the next heading of its level or above. */
export function sectionOf(markdown: string, heading: string): string {
  const lines = markdown.split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`no heading "${heading}"`);
  const level = heading.indexOf(' ');
  const length = lines.slice(start + 1).findIndex((line) => {
    const hashes = /^#+ /.exec(line)?.[0].length ?? Number.POSITIVE_INFINITY;
    return hashes - 1 <= level;
  });
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

/** The rows of the one table in a piece of Markdown, its header left out; cells must not hold a `|`. */
export function tableOf(markdown: string): readonly (readonly string[])[] {
  const rows = markdown
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const dividers = rows.filter((row) => row.every((cell) => /^-+$/.test(cell)));
  if (dividers.length !== 1 || dividers[0] !== rows[1]) throw new Error('expected one table');
  return rows.slice(2);
}

/** What a cell of code holds, without its backticks. */
export function unquoted(cell: string | undefined): string {
  const code = /^`([^`]+)`$/.exec(cell ?? '')?.[1];
  if (code === undefined) throw new Error(`expected a cell of code, got "${cell}"`);
  return code;
}
