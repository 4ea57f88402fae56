import { Buffer, isUtf8 } from 'node:buffer';

/** A line of input that is not blank. */
export type InputLine =
  | { readonly kind: 'text'; readonly number: number; readonly text: string }
  /** A line that cannot be taken in, with what was expected of it and what came. */
  | { readonly kind: 'unreadable'; readonly number: number; readonly expected: string; readonly got: string };

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const BLANK = /^[ \t\r]*$/;

/**
 * Splits bytes into the lines of a UTF-8 text, and yields those that are not blank with their numbers,
 * counted from 1 with the blank ones.
 *
 * Memory stays bounded by `maxBytes`, whatever comes. Lines end with LF or CRLF, the last one with either
 * or nothing; a byte order mark at the start is passed over.
 *
 * @param maxBytes longest line that is taken in
 * @param onBytes is told the size of each piece as it is read
 */
export async function* readLines(
  pieces: AsyncIterable<Uint8Array>,
  maxBytes: number,
  onBytes: (count: number) => void = () => undefined,
): AsyncGenerator<InputLine, void, undefined> {
  const line = new LineBuffer(maxBytes);
  for await (const piece of pieces) {
    onBytes(piece.length);
    let from = 0;
    for (;;) {
      const end = piece.indexOf(LINE_FEED, from);
      line.add(piece.subarray(from, end < 0 ? piece.length : end));
      if (end < 0) break;
      yield* line.take();
      from = end + 1;
    }
  }
  yield* line.take();
}

/** The line that is being read: its pieces as long as it may still be taken in, then only its length. */
class LineBuffer {
  readonly #maxBytes: number;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #number = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#bytes <= this.#maxBytes) this.#pieces.push(piece);
    else this.#pieces = [];
  }

  /** The line as it is now, unless it is blank; the next one begins. */
  take(): InputLine[] {
    const number = ++this.#number;
    const size = this.#bytes;
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    if (size > this.#maxBytes) {
      return [
        {
          kind: 'unreadable',
          number,
          expected: `a line of at most ${this.#maxBytes} bytes`,
          got: `${size} bytes`,
        },
      ];
    }
    const hasMark = number === 1 && whole.subarray(0, 3).equals(BYTE_ORDER_MARK);
    return lineOf(number, hasMark ? whole.subarray(3) : whole);
  }
}

function lineOf(number: number, bytes: Buffer): InputLine[] {
  if (!isUtf8(bytes)) return [{ kind: 'unreadable', number, expected: 'UTF-8', got: 'other bytes' }];
  const text = bytes.toString('utf8', 0, bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length);
  return BLANK.test(text) ? [] : [{ kind: 'text', number, text }];
}
