import type { ParsedReport, ParseErrorReport, ReportLimits } from '../domain/error-report.ts';
import type { InputLine } from './read-lines.ts';

/** JSON may spell a byte of a text with six characters: `\u0001`. */
const JSON_GROWTH = 6;

/** Room for the other fields, which are of at most 512 bytes each, their names and some white space. */
const OTHER_FIELDS_BYTES = 32_768;

/** The longest line, in bytes, that can hold a report within the limits. */
export function maxLineBytes({ maxErrorBytes }: ReportLimits): number {
  return maxErrorBytes * JSON_GROWTH + OTHER_FIELDS_BYTES;
}

/** Makes the parser from a line of NDJSON to a report; it never throws. */
export function lineParser(parse: ParseErrorReport): (line: InputLine) => ParsedReport {
  return (line) => {
    if (line.kind === 'unreadable') return invalid(line.expected, line.got);
    try {
      return parse(JSON.parse(line.text));
    } catch (error) {
      return invalid('a JSON object with connector_sync_job_id and error', describeSyntax(error));
    }
  };
}

function invalid(expected: string, got: string): ParsedReport {
  return { kind: 'invalid', problems: [{ field: '', expected, got }] };
}

/** V8's own message repeats a part of the text, which may be a secret in the wrong place. */
function describeSyntax(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  if (message.includes('end of JSON input') || message.includes('Unterminated'))
    return 'JSON that ends too soon';
  const position = /at position (\d+)/.exec(message)?.[1];
  return position === undefined ? 'text that is not JSON' : `text that is not JSON at position ${position}`;
}
