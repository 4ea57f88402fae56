import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMicroseconds, normalizeInstant } from '../../src/stand-in/clock.ts';
import { didYouMean, similarity } from '../../src/stand-in/errors/did-you-mean.ts';
import { ServerException } from '../../src/stand-in/errors/server-exception.ts';
import { string } from '../../src/stand-in/json/field-types.ts';
import { parseBody } from '../../src/stand-in/json/object-parser.ts';
import { readValue } from '../../src/stand-in/json/read-value.ts';
import { TokenReader } from '../../src/stand-in/json/token-reader.ts';

function parse(text: string): unknown {
  const reader = new TokenReader(Buffer.from(text));
  reader.next();
  return readValue(reader);
}

describe('the strict parser', () => {
  it('reads every JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 2, '\t'), (json, indent) => {
        const value: unknown = JSON.parse(json);
        expect(parse(JSON.stringify(value, null, indent))).toEqual(value);
      }),
    );
  });

  it('reads every error text as JSON.parse does', () => {
    const declaration = { name: 'x', fields: { error: { type: string, required: true } } };
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (error) => {
        const body = JSON.stringify({ error });
        expect(parseBody(Buffer.from(body), declaration)).toEqual(JSON.parse(body));
      }),
    );
  });

  it('answers any bytes with a value or a refusal with 400', () => {
    const declaration = { name: 'x', fields: { error: { type: string, required: true } } };
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
      fc
        .string({ unit: fc.constantFrom(...'{}[]",:\\/*1e.-tnul error\n\u00fc'), maxLength: 40 })
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, (body) => {
        try {
          parseBody(body, declaration);
        } catch (error) {
          expect(error).toBeInstanceOf(ServerException);
          expect((error as ServerException).status).toBe(400);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['// a comment\n{"a":1 /* and another */}', { a: 1 }],
    ['{"a":-1.5e+3,"b":true,"c":null}', { a: -1500, b: true, c: null }],
  ])('reads %j', (text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it.each([
    [
      '{"a":1,}',
      "[1:8] Unexpected character ('}' (code 125)): was expecting double-quote to start field name",
    ],
    [
      '{"a" 1}',
      "[1:6] Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
    ],
    [
      '{"a":1 "b":2}',
      "[1:8] Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries",
    ],
    ['[1 2]', "[1:4] Unexpected character ('2' (code 50)): was expecting comma to separate Array entries"],
    ['{"a":]', "[1:6] Unexpected character (']' (code 93)): expected a valid value"],
    ['[1}', "[1:3] Unexpected close marker '}': expected ']'"],
    ['{"a":01}', '[1:6] Invalid numeric value: Leading zeroes not allowed'],
    [
      '{"a":1.}',
      "[1:8] Unexpected character ('}' (code 125)) in numeric value: Decimal point not followed by a digit",
    ],
    ['{"a":"\\x"}', "[1:8] Unrecognized character escape 'x' (code 120)"],
    [
      '{"a":"\\u00g0"}',
      "[1:11] Unexpected character ('g' (code 103)): expected a hex-digit for character escape sequence",
    ],
    ['{"a":\u0001}', '[1:6] Illegal character ((CTRL-CHAR, code 1))'],
    ['/x', "[1:1] Unexpected character ('/' (code 47)): was expecting either '*' or '/' for a comment"],
    [`${'['.repeat(1001)}`, '[1:1001] Document nesting depth (1001) exceeds the maximum allowed'],
  ])('refuses %s where it breaks', (text, reason) => {
    expect(() => parse(text)).toThrow(reason);
  });

  it('refuses bytes that are no UTF-8', () => {
    const body = Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]);
    const reader = new TokenReader(body);
    reader.next();
    expect(() => readValue(reader)).toThrow('[1:7] Invalid UTF-8 start byte 0xff');
  });
});

describe('suggestions', () => {
  it('are as near as Lucene measures', () => {
    expect(similarity('error', 'errors')).toBeCloseTo(1 - 1 / 6);
    expect(similarity('err', 'error')).toBeCloseTo(0.6);
    expect(similarity('', 'error')).toBe(0);
    expect(didYouMean('er', ['error'])).toBe('');
    expect(didYouMean('nam', ['name', 'names', 'x'])).toBe(' did you mean any of [name, names]?');
  });
});

describe('instants', () => {
  it.each([
    [1_700_000_000_000_000, '2023-11-14T22:13:20.000Z'],
    [1_700_000_000_123_000, '2023-11-14T22:13:20.123Z'],
    [1_700_000_000_123_450, '2023-11-14T22:13:20.12345Z'],
  ])('of %i microseconds are written %s', (microseconds, written) => {
    expect(formatMicroseconds(microseconds)).toBe(written);
  });

  it.each([
    ['2023-12-04T08:45:50Z', '2023-12-04T08:45:50.000Z'],
    ['2023-12-04T08:45:50.567149Z', '2023-12-04T08:45:50.567149Z'],
    ['2023-12-04T08:45:50.123456700+02:00', '2023-12-04T06:45:50.1234567Z'],
    ['2023-12-04T08:45+0200', '2023-12-04T06:45:00.000Z'],
    ['yesterday', undefined],
    ['2023-13-04T08:45:50Z', undefined],
  ])('given as %s are kept as %s', (given, kept) => {
    expect(normalizeInstant(given)).toBe(kept);
  });
});
