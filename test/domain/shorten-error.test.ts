import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_STORED_ERROR_BYTES, REDUCED_ERROR_BYTES, shortenError } from '../../src/domain/shorten-error.ts';
import { anyText, utf8Of } from './arbitraries.ts';

const MARK = /\n\.\.\. \[(\d+) bytes left out\] \.\.\.\n/;

/** The head and the tail of a shortened text, and the number in its mark. */
function partsOf(shortened: string): { head: string; missingBytes: number; tail: string } {
  const [head, missingBytes, tail, ...more] = shortened.split(MARK);
  if (head === undefined || missingBytes === undefined || tail === undefined || more.length > 0) {
    throw new Error('expected one mark');
  }
  return { head, missingBytes: Number(missingBytes), tail };
}

test('sends at most 32,766 bytes, and 4,096 after a 413', () => {
  expect(MAX_STORED_ERROR_BYTES).toBe(32_766);
  expect(REDUCED_ERROR_BYTES).toBe(4_096);
});

describe('a text at the limit of 32,766 bytes', () => {
  const filled = (character: string, bytes: number): string => {
    const size = Buffer.byteLength(character);
    return 'a'.repeat(bytes % size) + character.repeat(Math.floor(bytes / size));
  };

  describe.each(['a', 'é', '語', '😀'])('of %o', (character) => {
    test.each([32_765, 32_766])('stays as it is with %d bytes', (bytes) => {
      const text = filled(character, bytes);
      expect(Buffer.byteLength(text)).toBe(bytes);
      expect(shortenError(text)).toBe(text);
    });

    test.each([32_767, 32_768, 32_769, 32_770])('is shortened with %d bytes', (bytes) => {
      const text = filled(character, bytes);
      const shortened = shortenError(text);
      expect(Buffer.byteLength(text)).toBe(bytes);
      expect(Buffer.byteLength(shortened)).toBeLessThanOrEqual(32_766);
      // The number may be one digit shorter than allowed for, and each cut may pass by a code point.
      expect(Buffer.byteLength(shortened)).toBeGreaterThan(32_766 - 12);
      const { head, missingBytes, tail } = partsOf(shortened);
      expect(text.startsWith(head)).toBe(true);
      expect(text.endsWith(tail)).toBe(true);
      expect(utf8Of(head).length + missingBytes + utf8Of(tail).length).toBe(bytes);
    });
  });

  test('counts a lone surrogate as the three bytes of the U+FFFD that is sent for it', () => {
    const text = '\ud800'.repeat(10_922);
    expect(shortenError(text)).toBe('\ufffd'.repeat(10_922));
    expect(partsOf(shortenError(`${text}a`)).missingBytes).toBeGreaterThan(0);
  });
});

test('keeps the head and the tail of a traceback', () => {
  const traceback = `Traceback (most recent call last):\n${'  File "sync.py"\n'.repeat(5_000)}TimeoutError: too late`;
  const shortened = shortenError(traceback);
  expect(shortened.startsWith('Traceback (most recent call last):\n')).toBe(true);
  expect(shortened.endsWith('TimeoutError: too late')).toBe(true);
});

test('gives head and tail the same room', () => {
  const { head, tail } = partsOf(shortenError('a'.repeat(1_000_000)));
  expect(Math.abs(head.length - tail.length)).toBeLessThanOrEqual(1);
});

test('looks like this', () => {
  expect(shortenError(`${'h'.repeat(100)}${'t'.repeat(100)}`, 64)).toBe(
    `${'h'.repeat(17)}\n... [166 bytes left out] ...\n${'t'.repeat(17)}`,
  );
});

describe('any text, at any limit from 64 bytes', () => {
  const texts = fc.oneof(
    anyText({ maxLength: 400 }),
    fc
      .tuple(anyText({ maxLength: 5 }), fc.constantFrom('a', 'é', '語', '😀', '\ud800'), fc.nat(400))
      .map(([start, character, times]) => start + character.repeat(times)),
  );
  const limits = fc.integer({ min: 64, max: 300 });

  test('comes out within the limit, as well-formed Unicode', () => {
    fc.assert(
      fc.property(texts, limits, (text, maxBytes) => {
        const shortened = shortenError(text, maxBytes);
        expect(utf8Of(shortened).length).toBeLessThanOrEqual(maxBytes);
        expect(shortened.isWellFormed()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('stays as it is where it fits, but for lone surrogates', () => {
    fc.assert(
      fc.property(texts, limits, (text, maxBytes) => {
        fc.pre(utf8Of(text).length <= maxBytes);
        expect(shortenError(text, maxBytes)).toBe(text.toWellFormed());
      }),
    );
  });

  test('stays as it is where it has exactly as many bytes as allowed', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const bytes = utf8Of(text).length;
        fc.pre(bytes >= 64);
        expect(shortenError(text, bytes)).toBe(text.toWellFormed());
        expect(shortenError(`${text}a`, bytes)).toMatch(MARK);
      }),
    );
  });

  test('is shortened once: a second time changes nothing', () => {
    fc.assert(
      fc.property(texts, limits, (text, maxBytes) => {
        const shortened = shortenError(text, maxBytes);
        expect(shortenError(shortened, maxBytes)).toBe(shortened);
      }),
    );
  });

  test('keeps whole code points from both ends, and the mark says exactly what is missing', () => {
    const unmarked = texts.filter((text) => !text.includes('['));
    fc.assert(
      fc.property(unmarked, limits, (text, maxBytes) => {
        fc.pre(utf8Of(text).length > maxBytes);
        const sent = text.toWellFormed();
        const { head, missingBytes, tail } = partsOf(shortenError(text, maxBytes));
        expect(sent.startsWith(head)).toBe(true);
        expect(sent.endsWith(tail)).toBe(true);
        expect(missingBytes).toBe(utf8Of(sent.slice(head.length, sent.length - tail.length)).length);
        expect(missingBytes).toBe(utf8Of(sent).length - utf8Of(head).length - utf8Of(tail).length);
        // Head and tail have their share of the room but for the code point that did not fit.
        expect(utf8Of(head).length).toBeGreaterThanOrEqual((maxBytes - 40) / 2 - 4);
        expect(utf8Of(tail).length).toBeGreaterThanOrEqual((maxBytes - 40) / 2 - 4);
      }),
      { numRuns: 500 },
    );
  });
});
