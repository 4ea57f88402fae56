import { Buffer } from 'node:buffer';

/**
 * Longest `error` that Elasticsearch stores, in bytes of UTF-8: the field is a `keyword` without
 * `ignore_above`, and Lucene refuses a longer term.
 */
export const MAX_STORED_ERROR_BYTES = 32_766;

/** What is sent, once, after an answer of 413: some proxy allows less than Elasticsearch does. */
export const REDUCED_ERROR_BYTES = 4_096;

/**
 * The text that is sent for a report: as it is up to `maxBytes`, else its head and its tail with a mark
 * between that says how many bytes are missing. Both ends are kept because a traceback names the place
 * first and the cause last.
 *
 * Lone surrogates, which UTF-8 cannot carry, become U+FFFD. Never splits a code point, never returns
 * more than `maxBytes` bytes, and the same text always gives the same result.
 *
 * @param maxBytes at least 64, so that the mark has room
 */
export function shortenError(error: string, maxBytes: number = MAX_STORED_ERROR_BYTES): string {
  const text = error.toWellFormed();
  // A UTF-16 code unit takes one to three bytes, so most texts are settled without counting.
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;

  // The mark's own length depends on the number in it; the whole length has at least as many digits.
  const room = maxBytes - mark(bytes.length).length;
  const head = bytes.subarray(0, startOfCodePoint(bytes, Math.ceil(room / 2)));
  const tail = bytes.subarray(nextCodePoint(bytes, bytes.length - Math.floor(room / 2)));
  return `${head}${mark(bytes.length - head.length - tail.length)}${tail}`;
}

const mark = (missingBytes: number): string => `\n... [${missingBytes} bytes left out] ...\n`;

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** The nearest boundary between code points at or before `index`. */
function startOfCodePoint(bytes: Buffer, index: number): number {
  let start = index;
  while (isContinuation(bytes[start])) start -= 1;
  return start;
}

/** The nearest boundary between code points at or after `index`. */
function nextCodePoint(bytes: Buffer, index: number): number {
  let next = index;
  while (isContinuation(bytes[next])) next += 1;
  return next;
}
