/**
 * Reads the one body there is, `{"error": "…"}`, byte by byte, and fails where and how Elasticsearch fails.
 *
 * `JSON.parse` will not do. Elasticsearch's parser (Jackson, as Elasticsearch configures it) stops at the end
 * of the object whatever follows, refuses a field that comes twice, takes comments, and says the line and the
 * column, in bytes, of the first thing that is wrong. Nothing nested is ever read: any field but `error`, and
 * any value but a string, is refused at its first token.
 */
import { type Buffer, isUtf8 } from 'node:buffer';
import { EsFailure } from './es-failure.ts';

/** The kinds of values, by the names that Elasticsearch prints. */
export type ValueToken =
  | 'START_OBJECT'
  | 'START_ARRAY'
  | 'VALUE_STRING'
  | 'VALUE_NUMBER'
  | 'VALUE_BOOLEAN'
  | 'VALUE_NULL';

const VALUE_HINT = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const SLASH = 0x2f;
const STAR = 0x2a;
const MINUS = 0x2d;

/** A place in the bytes and what has to be read there next. */
export class BodyReader {
  readonly #bytes: Buffer;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  /** Where the object began, which complaints about a missing end name. */
  #objectStart = '';

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    // A byte order mark is passed over, and counted.
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3;
  }

  /** `line:column` of what comes next, both from 1. */
  get place(): string {
    return `${this.#line}:${this.#at - this.#lineStart + 1}`;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Passes over the opening brace. */
  enterObject(): void {
    this.#objectStart = this.#source();
    this.#at++;
  }

  /** Passes over the closing brace if it comes next, else over the comma that has to come. */
  leavesObject(isFirst: boolean): boolean {
    this.skipBlank();
    if (this.isAtEnd) throw this.#objectEndsEarly();
    const byte = this.#bytes[this.#at];
    if (byte === 0x7d) {
      this.#at++;
      return true;
    }
    if (byte === 0x5d) {
      throw this.#malformed(
        `Unexpected close marker ']': expected '}' (for Object starting at ${this.#objectStart})`,
      );
    }
    if (isFirst) return false;
    if (byte !== 0x2c) throw this.#unexpected('was expecting comma to separate Object entries');
    this.#at++;
    this.skipBlank();
    if (this.isAtEnd) throw this.#objectEndsEarly();
    return false;
  }

  /** Reads a field's name and the colon. */
  readName(earlier: ReadonlySet<string>): string {
    if (this.#bytes[this.#at] !== QUOTE)
      throw this.#unexpected('was expecting double-quote to start field name');
    const name = this.#readString('name');
    if (earlier.has(name)) throw this.#malformed(`Duplicate field '${name}'`);
    this.skipBlank();
    if (this.isAtEnd) throw this.#objectEndsEarly();
    if (this.#bytes[this.#at] !== 0x3a) {
      throw this.#unexpected('was expecting a colon to separate field name and value');
    }
    this.#at++;
    this.skipBlank();
    if (this.isAtEnd) throw this.#objectEndsEarly();
    return name;
  }

  /** Reads a value's first token, which for everything but objects and arrays is the whole value. */
  readValue(): { readonly token: ValueToken; readonly text: string } {
    const byte = this.#bytes[this.#at] ?? 0;
    if (byte === QUOTE) return { token: 'VALUE_STRING', text: this.#readString('string value') };
    if (byte === 0x7b) return { token: 'START_OBJECT', text: '' };
    if (byte === 0x5b) return { token: 'START_ARRAY', text: '' };
    if (byte === MINUS || isDigit(byte)) {
      this.#readNumber();
      return { token: 'VALUE_NUMBER', text: '' };
    }
    if (isWordPart(byte)) return { token: this.#readWord(), text: '' };
    throw this.#unexpected(`expected a valid value ${VALUE_HINT}`);
  }

  /** Passes over white space and comments. */
  skipBlank(): void {
    for (; this.#at < this.#bytes.length; this.#at++) {
      const byte = this.#bytes[this.#at] ?? 0;
      if (byte === 0x20 || byte === 0x09) continue;
      if (byte === LINE_FEED || byte === CARRIAGE_RETURN) this.#endLine();
      else if (byte === SLASH) this.#skipComment();
      else if (byte >= 0x20) return;
      else {
        throw this.#malformed(
          `Illegal character (${describeControl(byte)}): ` +
            'only regular white space (\\r, \\n, \\t) is allowed between tokens',
        );
      }
    }
  }

  /** CR LF is one line end; the last byte of it becomes the present one. */
  #endLine(): void {
    if (this.#bytes[this.#at] === CARRIAGE_RETURN && this.#bytes[this.#at + 1] === LINE_FEED) this.#at++;
    this.#line++;
    this.#lineStart = this.#at + 1;
  }

  /** From the slash to the comment's last byte. */
  #skipComment(): void {
    const kind = this.#bytes[this.#at + 1];
    if (kind !== SLASH && kind !== STAR)
      throw this.#unexpected("was expecting either '*' or '/' for a comment");
    for (this.#at += 2; this.#at < this.#bytes.length; this.#at++) {
      const byte = this.#bytes[this.#at];
      if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
        this.#endLine();
        if (kind === SLASH) return;
      } else if (kind === STAR && byte === STAR && this.#bytes[this.#at + 1] === SLASH) {
        this.#at++;
        return;
      }
    }
    if (kind === STAR) throw this.#endsEarly('Unexpected end-of-input in a comment');
  }

  /** Reads the string whose opening quote comes next. */
  #readString(what: 'name' | 'string value'): string {
    const bytes = this.#bytes;
    const opening = this.#at;
    let hasEscape = false;
    let isAscii = true;
    for (let at = opening + 1; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) {
        if (!isAscii && !isUtf8(bytes.subarray(opening, at))) throw this.#notUtf8(opening + 1);
        this.#at = at + 1;
        if (hasEscape) return JSON.parse(bytes.toString('utf8', opening, at + 1)) as string;
        return bytes.toString(isAscii ? 'latin1' : 'utf8', opening + 1, at);
      }
      if (byte === BACKSLASH) {
        hasEscape = true;
        at = this.#endOfEscape(at + 1);
      } else if (byte >= 0x80) {
        isAscii = false;
      } else if (byte < 0x20) {
        this.#at = at;
        throw this.#malformed(
          `Illegal unquoted character (${describeControl(byte)}): ` +
            `has to be escaped using backslash to be included in ${what}`,
        );
      }
    }
    this.#at = bytes.length;
    throw this.#endsEarly(
      what === 'name'
        ? 'Unexpected end-of-input in field name'
        : 'Unexpected end-of-input: was expecting closing quote for a string value',
    );
  }

  /** Where the escape ends whose letter is at `at`. */
  #endOfEscape(at: number): number {
    const bytes = this.#bytes;
    if (at >= bytes.length) throw this.#endsInEscape();
    const letter = String.fromCharCode(bytes[at] ?? 0);
    if ('"\\/bfnrt'.includes(letter)) return at;
    if (letter !== 'u') {
      this.#at = at;
      throw this.#malformed(`Unrecognized character escape ${this.#describeNext()}`);
    }
    for (let digit = at + 1; digit <= at + 4; digit++) {
      if (digit >= bytes.length) throw this.#endsInEscape();
      if (isHexDigit(bytes[digit] ?? 0)) continue;
      this.#at = digit;
      throw this.#unexpected('expected a hex-digit for character escape sequence');
    }
    return at + 4;
  }

  #endsInEscape(): EsFailure {
    this.#at = this.#bytes.length;
    return this.#endsEarly('Unexpected end-of-input in character escape sequence');
  }

  #readNumber(): void {
    if (this.#bytes[this.#at] === MINUS) this.#at++;
    if (this.#bytes[this.#at] === 0x30 && isDigit(this.#bytes[this.#at + 1] ?? 0)) {
      throw this.#malformed('Invalid numeric value: Leading zeroes not allowed');
    }
    this.#readDigits('number: was expecting digit (0-9) to follow minus sign, for valid numeric value');
    if (this.#bytes[this.#at] === 0x2e) {
      this.#at++;
      this.#readDigits('numeric value: Decimal point not followed by a digit');
    }
    if (this.#bytes[this.#at] === 0x65 || this.#bytes[this.#at] === 0x45) {
      this.#at++;
      if (this.#bytes[this.#at] === 0x2b || this.#bytes[this.#at] === MINUS) this.#at++;
      this.#readDigits('numeric value: Exponent indicator not followed by a digit');
    }
  }

  #readDigits(where: string): void {
    const from = this.#at;
    while (isDigit(this.#bytes[this.#at] ?? 0)) this.#at++;
    if (this.#at > from) return;
    if (this.isAtEnd) throw this.#endsEarly('Unexpected end-of-input in a Number value');
    throw this.#malformed(`Unexpected character (${this.#describeNext()}) in ${where}`);
  }

  #readWord(): ValueToken {
    const from = this.#at;
    while (isWordPart(this.#bytes[this.#at] ?? 0)) this.#at++;
    const word = this.#bytes.toString('latin1', from, this.#at);
    if (word === 'null') return 'VALUE_NULL';
    if (word === 'true' || word === 'false') return 'VALUE_BOOLEAN';
    if (this.isAtEnd && ['null', 'true', 'false'].some((known) => known.startsWith(word))) {
      throw this.#endsEarly('Unexpected end-of-input in a value');
    }
    throw this.#malformed(`Unrecognized token '${word}': was expecting ${VALUE_HINT}`);
  }

  #describeNext(): string {
    const code = this.#bytes.toString('utf8', this.#at, this.#at + 4).codePointAt(0) ?? 0;
    return code < 0x20 ? describeControl(code) : `'${String.fromCodePoint(code)}' (code ${code})`;
  }

  #source(): string {
    const [line, column] = this.place.split(':');
    return (
      '[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); ' +
      `line: ${line}, column: ${column}]`
    );
  }

  #unexpected(expectation: string): EsFailure {
    return this.#malformed(`Unexpected character (${this.#describeNext()}): ${expectation}`);
  }

  #notUtf8(from: number): EsFailure {
    const first = this.#bytes.subarray(from).findIndex((byte) => byte >= 0x80);
    this.#at = from + first;
    return this.#malformed(`Invalid UTF-8 start byte 0x${(this.#bytes[this.#at] ?? 0).toString(16)}`);
  }

  #malformed(message: string): EsFailure {
    const reason = `${message}\n at ${this.#source()}`;
    return new EsFailure(400, {
      type: 'x_content_parse_exception',
      reason: `[${this.place}] ${reason}`,
      causedBy: { type: 'json_parse_exception', reason },
    });
  }

  #objectEndsEarly(): EsFailure {
    return this.#endsEarly(
      `Unexpected end-of-input: expected close marker for Object (start marker at ${this.#objectStart})`,
    );
  }

  #endsEarly(message: string): EsFailure {
    return new EsFailure(400, {
      type: 'x_content_e_o_f_exception',
      reason: `[${this.place}] Unexpected end of file`,
      causedBy: { type: 'json_e_o_f_exception', reason: `${message}\n at ${this.#source()}` },
    });
  }
}

const describeControl = (code: number): string => `(CTRL-CHAR, code ${code})`;

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

const isHexDigit = (byte: number): boolean =>
  isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);

const isWordPart = (byte: number): boolean =>
  (byte >= 0x41 && byte <= 0x5a) ||
  (byte >= 0x61 && byte <= 0x7a) ||
  isDigit(byte) ||
  byte === 0x5f ||
  byte === 0x24 ||
  byte >= 0x80;
