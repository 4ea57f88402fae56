/**
 * A pull parser over the bytes of a request body that fails where and how Elasticsearch's does.
 *
 * Source: Jackson's `UTF8StreamJsonParser` as Elasticsearch configures it (general knowledge): strict
 * duplicate detection, comments allowed, columns counted in bytes, at most 1000 levels deep. Nothing
 * is read beyond what is asked for, so a broken tail after a complete object goes unnoticed.
 */
import { isUtf8 } from 'node:buffer';
import { ServerException } from '../errors/server-exception.ts';

/** The kind of the current token, by the names Elasticsearch prints. */
export type Token =
  | 'START_OBJECT'
  | 'END_OBJECT'
  | 'START_ARRAY'
  | 'END_ARRAY'
  | 'FIELD_NAME'
  | 'VALUE_STRING'
  | 'VALUE_NUMBER'
  | 'VALUE_BOOLEAN'
  | 'VALUE_NULL';

/** Elasticsearch prints a place as `[line:column]`, both counted from 1, the column in bytes. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

const maxDepth = 1000;
const valueHint = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

interface Level {
  readonly kind: 'object' | 'array';
  readonly start: Place;
  readonly names: Set<string>;
  /** Whether an entry has been read, so that a comma must come next. */
  started: boolean;
}

const quote = 0x22;
const backslash = 0x5c;

/** Reads one JSON document token by token. */
export class TokenReader {
  /** Text of the current FIELD_NAME or VALUE_STRING, digits of a VALUE_NUMBER, else ''. */
  text = '';
  /** Value of the current VALUE_BOOLEAN. */
  boolean = false;
  /** The current token; undefined before the first and after the last. */
  token: Token | undefined;

  readonly #bytes: Buffer;
  readonly #levels: Level[] = [];
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #tokenAt = 0;
  #tokenLine = 1;
  #tokenLineStart = 0;
  #afterName = false;

  /** @param bytes - The whole body; a UTF-8 byte order mark at its start is passed over. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3;
  }

  /** Where the current token starts. */
  get place(): Place {
    return { line: this.#tokenLine, column: this.#tokenAt - this.#tokenLineStart + 1 };
  }

  /** Moves to the next token; undefined at the end of the input outside any object or array. */
  next(): Token | undefined {
    this.text = '';
    this.#skipBlank();
    const level = this.#levels.at(-1);
    if (level === undefined) {
      if (this.#at >= this.#bytes.length) {
        this.#markToken();
        this.token = undefined;
        return undefined;
      }
      this.token = this.#readValue();
      return this.token;
    }
    if (this.#at >= this.#bytes.length) throw this.#endOfInput(level);
    if (this.#afterName) {
      this.#afterName = false;
      this.token = this.#readValue();
      return this.token;
    }
    this.token = level.kind === 'object' ? this.#readEntry(level) : this.#readElement(level);
    return this.token;
  }

  /** Passes over the object or array that has just started; other tokens are left as they are. */
  skipChildren(): void {
    if (this.token !== 'START_OBJECT' && this.token !== 'START_ARRAY') return;
    const depth = this.#levels.length;
    while (this.#levels.length >= depth) this.next();
  }

  #readEntry(level: Level): Token {
    if (this.#bytes[this.#at] === 0x7d) return this.#close('END_OBJECT');
    this.#refuseWrongClose(0x5d, level);
    this.#expectComma(level, 'Object');
    this.#markToken();
    if (this.#bytes[this.#at] !== quote) {
      throw this.#unexpected('was expecting double-quote to start field name');
    }
    this.text = this.#readString('name');
    if (level.names.has(this.text)) throw this.#malformed(`Duplicate field '${this.text}'`, this.#here());
    level.names.add(this.text);
    this.#skipBlank();
    if (this.#at >= this.#bytes.length) throw this.#endOfInput(level);
    if (this.#bytes[this.#at] !== 0x3a) {
      throw this.#unexpected('was expecting a colon to separate field name and value');
    }
    this.#at++;
    this.#afterName = true;
    return 'FIELD_NAME';
  }

  #readElement(level: Level): Token {
    if (this.#bytes[this.#at] === 0x5d) return this.#close('END_ARRAY');
    this.#refuseWrongClose(0x7d, level);
    this.#expectComma(level, 'Array');
    return this.#readValue();
  }

  #refuseWrongClose(byte: number, level: Level): void {
    if (this.#bytes[this.#at] !== byte) return;
    const expected = level.kind === 'object' ? '}' : ']';
    const { line, column } = level.start;
    throw this.#malformed(
      `Unexpected close marker '${String.fromCharCode(byte)}': expected '${expected}' ` +
        `(for ${level.kind === 'object' ? 'Object' : 'Array'} starting at ${source(line, column)})`,
      this.#here(),
    );
  }

  #expectComma(level: Level, kind: 'Object' | 'Array'): void {
    if (!level.started) {
      level.started = true;
      return;
    }
    if (this.#bytes[this.#at] !== 0x2c) {
      throw this.#unexpected(`was expecting comma to separate ${kind} entries`);
    }
    this.#at++;
    this.#skipBlank();
    if (this.#at >= this.#bytes.length) throw this.#endOfInput(level);
  }

  #close(token: 'END_OBJECT' | 'END_ARRAY'): Token {
    this.#markToken();
    this.#levels.pop();
    this.#at++;
    return token;
  }

  #open(kind: 'object' | 'array'): Token {
    if (this.#levels.length >= maxDepth) {
      throw this.#malformed(
        `Document nesting depth (${maxDepth + 1}) exceeds the maximum allowed ` +
          `(${maxDepth}, from \`StreamReadConstraints.getMaxNestingDepth()\`)`,
        this.#here(),
        'stream_constraints_exception',
      );
    }
    this.#levels.push({ kind, start: this.#here(), names: new Set(), started: false });
    this.#at++;
    return kind === 'object' ? 'START_OBJECT' : 'START_ARRAY';
  }

  #readValue(): Token {
    this.#markToken();
    const byte = this.#bytes[this.#at] ?? 0;
    if (byte === quote) {
      this.text = this.#readString('value');
      return 'VALUE_STRING';
    }
    if (byte === 0x7b) return this.#open('object');
    if (byte === 0x5b) return this.#open('array');
    if (byte === 0x2d || isDigit(byte)) return this.#readNumber();
    if (isNamePart(byte)) return this.#readWord();
    throw this.#unexpected(`expected a valid value ${valueHint}`);
  }

  #readWord(): Token {
    const from = this.#at;
    let to = from;
    while (isNamePart(this.#bytes[to] ?? 0)) to++;
    const word = this.#bytes.toString('latin1', from, to);
    this.#at = to;
    if (word === 'null') return 'VALUE_NULL';
    if (word === 'true' || word === 'false') {
      this.boolean = word === 'true';
      return 'VALUE_BOOLEAN';
    }
    if (to >= this.#bytes.length && ['null', 'true', 'false'].some((known) => known.startsWith(word))) {
      throw this.#endOfFile('Unexpected end-of-input in a value');
    }
    throw this.#malformed(`Unrecognized token '${word}': was expecting ${valueHint}`, this.#here());
  }

  #readNumber(): Token {
    const from = this.#at;
    if (this.#bytes[this.#at] === 0x2d) this.#at++;
    if (this.#bytes[this.#at] === 0x30 && isDigit(this.#bytes[this.#at + 1] ?? 0)) {
      throw this.#malformed('Invalid numeric value: Leading zeroes not allowed', this.#here());
    }
    this.#readDigits('in number: was expecting digit (0-9) to follow minus sign, for valid numeric value');
    if (this.#bytes[this.#at] === 0x2e) {
      this.#at++;
      this.#readDigits('in numeric value: Decimal point not followed by a digit');
    }
    if ((this.#bytes[this.#at] ?? 0) === 0x65 || this.#bytes[this.#at] === 0x45) {
      this.#at++;
      if (this.#bytes[this.#at] === 0x2b || this.#bytes[this.#at] === 0x2d) this.#at++;
      this.#readDigits('in numeric value: Exponent indicator not followed by a digit');
    }
    this.text = this.#bytes.toString('latin1', from, this.#at);
    return 'VALUE_NUMBER';
  }

  #readDigits(complaint: string): void {
    const from = this.#at;
    while (isDigit(this.#bytes[this.#at] ?? 0)) this.#at++;
    if (this.#at > from) return;
    if (this.#at >= this.#bytes.length) throw this.#endOfFile('Unexpected end-of-input in a Number value');
    throw this.#malformed(`Unexpected character (${this.#describeByte()}) ${complaint}`, this.#here());
  }

  /** Reads the string whose opening quote is the current byte. */
  #readString(what: 'name' | 'value'): string {
    const bytes = this.#bytes;
    const opening = this.#at;
    let escaped = false;
    let wide = false;
    for (let at = opening + 1; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === quote) {
        this.#at = at + 1;
        if (wide && !isUtf8(bytes.subarray(opening, at))) throw this.#invalidUtf8(opening + 1, at);
        return escaped
          ? (JSON.parse(bytes.toString('utf8', opening, at + 1)) as string)
          : bytes.toString(wide ? 'utf8' : 'latin1', opening + 1, at);
      }
      if (byte === backslash) {
        escaped = true;
        at = this.#checkEscape(at + 1);
      } else if (byte < 0x20) {
        this.#at = at;
        throw this.#malformed(
          `Illegal unquoted character (${describeControl(byte)}): ` +
            `has to be escaped using backslash to be included in ${what === 'name' ? 'name' : 'string value'}`,
          this.#here(),
        );
      } else if (byte >= 0x80) {
        wide = true;
      }
    }
    this.#at = bytes.length;
    throw this.#endOfFile(
      what === 'name'
        ? 'Unexpected end-of-input in field name'
        : 'Unexpected end-of-input: was expecting closing quote for a string value',
    );
  }

  /** Checks the escape whose letter is at `at`; returns the place of its last byte. */
  #checkEscape(at: number): number {
    const bytes = this.#bytes;
    if (at >= bytes.length) {
      this.#at = bytes.length;
      throw this.#endOfFile('Unexpected end-of-input in character escape sequence');
    }
    const letter = bytes[at] ?? 0;
    if (letter !== 0x75) {
      if ('"\\/bfnrt'.includes(String.fromCharCode(letter))) return at;
      this.#at = at;
      throw this.#malformed(`Unrecognized character escape ${this.#describeByte()}`, this.#here());
    }
    for (let digit = at + 1; digit <= at + 4; digit++) {
      if (digit >= bytes.length) {
        this.#at = bytes.length;
        throw this.#endOfFile('Unexpected end-of-input in character escape sequence');
      }
      if (!isHexDigit(bytes[digit] ?? 0)) {
        this.#at = digit;
        throw this.#unexpected('expected a hex-digit for character escape sequence');
      }
    }
    return at + 4;
  }

  /** Passes over white space and comments, counting lines. */
  #skipBlank(): void {
    const bytes = this.#bytes;
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at] ?? 0;
      if (byte === 0x20 || byte === 0x09) continue;
      if (byte === 0x0a || byte === 0x0d) this.#endLine();
      else if (byte === 0x2f) this.#skipComment();
      else if (byte < 0x20) {
        throw this.#malformed(
          `Illegal character (${describeControl(byte)}): ` +
            'only regular white space (\\r, \\n, \\t) is allowed between tokens',
          this.#here(),
        );
      } else return;
    }
  }

  /** Stands on a line end; `\r\n` counts once. Leaves the place on its last byte. */
  #endLine(): void {
    if (this.#bytes[this.#at] === 0x0d && this.#bytes[this.#at + 1] === 0x0a) this.#at++;
    this.#line++;
    this.#lineStart = this.#at + 1;
  }

  /** Stands on a slash. Leaves the place on the comment's last byte. */
  #skipComment(): void {
    const bytes = this.#bytes;
    const kind = bytes[this.#at + 1];
    if (kind !== 0x2f && kind !== 0x2a) {
      throw this.#unexpected("was expecting either '*' or '/' for a comment");
    }
    for (this.#at += 2; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at];
      if (byte === 0x0a || byte === 0x0d) {
        this.#endLine();
        if (kind === 0x2f) return;
      } else if (kind === 0x2a && byte === 0x2a && bytes[this.#at + 1] === 0x2f) {
        this.#at++;
        return;
      }
    }
    if (kind === 0x2a) throw this.#endOfFile('Unexpected end-of-input in a comment');
  }

  #markToken(): void {
    this.#tokenAt = this.#at;
    this.#tokenLine = this.#line;
    this.#tokenLineStart = this.#lineStart;
  }

  #here(): Place {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #describeByte(): string {
    const code = this.#bytes.toString('utf8', this.#at, this.#at + 4).codePointAt(0) ?? 0;
    return code < 0x20 ? describeControl(code) : `'${String.fromCodePoint(code)}' (code ${code})`;
  }

  #unexpected(expectation: string): ServerException {
    return this.#malformed(`Unexpected character (${this.#describeByte()}): ${expectation}`, this.#here());
  }

  #invalidUtf8(from: number, to: number): ServerException {
    let at = from;
    while (at < to && isUtf8(this.#bytes.subarray(from, at + 1).subarray(-1))) at++;
    this.#at = at;
    const hex = (this.#bytes[at] ?? 0).toString(16);
    return this.#malformed(`Invalid UTF-8 start byte 0x${hex}`, this.#here());
  }

  #malformed(message: string, place: Place, cause = 'json_parse_exception'): ServerException {
    const reason = `${message}\n at ${source(place.line, place.column)}`;
    return contentFailure(place, reason, { type: cause, reason });
  }

  #endOfInput(level: Level): ServerException {
    const { line, column } = level.start;
    const kind = level.kind === 'object' ? 'Object' : 'Array';
    return this.#endOfFile(
      `Unexpected end-of-input: expected close marker for ${kind} (start marker at ${source(line, column)})`,
    );
  }

  #endOfFile(message: string): ServerException {
    const place = this.#here();
    return new ServerException(400, {
      type: 'x_content_e_o_f_exception',
      reason: `[${place.line}:${place.column}] Unexpected end of file`,
      causedBy: {
        type: 'json_e_o_f_exception',
        reason: `${message}\n at ${source(place.line, place.column)}`,
      },
    });
  }
}

/** 400 `x_content_parse_exception` at a place of the body. */
export function contentFailure(
  place: Place | undefined,
  message: string,
  causedBy?: ServerException['shape'],
  rootCause?: ServerException['shape'],
): ServerException {
  const shape = {
    type: 'x_content_parse_exception',
    reason: place === undefined ? message : `[${place.line}:${place.column}] ${message}`,
    ...(causedBy === undefined ? {} : { causedBy }),
  };
  return new ServerException(400, shape, rootCause ?? shape);
}

function source(line: number, column: number): string {
  return (
    '[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); ' +
    `line: ${line}, column: ${column}]`
  );
}

function describeControl(code: number): string {
  return `(CTRL-CHAR, code ${code})`;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

function isNamePart(byte: number): boolean {
  return (
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    isDigit(byte) ||
    byte === 0x5f ||
    byte === 0x24 ||
    byte >= 0x80
  );
}
