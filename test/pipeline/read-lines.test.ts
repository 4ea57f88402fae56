import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type InputLine, readLines } from '../../src/pipeline/read-lines.ts';

async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const size of sizes) {
    yield bytes.subarray(from, from + size);
    from += size;
  }
  yield bytes.subarray(from);
}

function read(
  text: string | Uint8Array,
  maxBytes = 1_000,
  sizes: readonly number[] = [],
): Promise<InputLine[]> {
  return Array.fromAsync(readLines(pieces(Buffer.from(text), sizes), maxBytes));
}

const line = (number: number, text: string): InputLine => ({ kind: 'text', number, text });

test('lines end with LF or CRLF, the last one with nothing too', async () => {
  const expected = [line(1, 'a'), line(2, 'b')];
  for (const text of ['a\nb', 'a\r\nb\r\n', 'a\nb\n', 'a\r\nb\r']) expect(await read(text)).toEqual(expected);
});

test('blank lines count and are passed over', async () => {
  expect(await read('\n \t\r\na\n\n\nb\n  ')).toEqual([line(3, 'a'), line(6, 'b')]);
});

test('a byte order mark counts at the very start only', async () => {
  expect(await read('\ufeffa\n\ufeffb')).toEqual([line(1, 'a'), line(2, '\ufeffb')]);
  expect(await read('\ufeff')).toEqual([]);
});

test('a line of just the most bytes is taken in, and one of a byte more is not', async () => {
  expect(await read('äbc\nx', 4)).toEqual([line(1, 'äbc'), line(2, 'x')]);
  expect(await read('äbcd\nx', 4)).toEqual([
    { kind: 'unreadable', number: 1, expected: 'a line of at most 4 bytes', got: '5 bytes' },
    line(2, 'x'),
  ]);
});

test('a line that is not UTF-8 is told and stops nothing', async () => {
  const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.from([0x22, 0xff, 0x22, 0x0a]), Buffer.from('b')]);
  expect(await read(bytes)).toEqual([
    line(1, 'a'),
    { kind: 'unreadable', number: 2, expected: 'UTF-8', got: 'other bytes' },
    line(3, 'b'),
  ]);
});

test('where the pieces end changes nothing, also within a character', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'é', '日', '😀', '\n', '\r\n', ' ', '\ufeff'), { maxLength: 60 }),
      fc.array(fc.nat({ max: 9 }), { maxLength: 40 }),
      async (parts, sizes) => {
        const text = parts.join('');
        expect(await read(text, 20, sizes)).toEqual(await read(text, 20));
      },
    ),
  );
});
