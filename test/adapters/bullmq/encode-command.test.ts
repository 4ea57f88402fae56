import { Command } from 'ioredis';
import { expect, test } from 'vitest';
import { type CommandPart, encodeCommand } from '../../../src/adapters/bullmq/encode-command.ts';

/** What ioredis makes of the same. */
function byIoredis([name = '', ...args]: readonly CommandPart[]): Buffer {
  const command = new Command(
    String(name),
    args.map((arg) => (typeof arg === 'string' ? arg : Buffer.from(arg))),
  );
  return Buffer.from(command.toWritable({}));
}

const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, n) => n % 256));

test.each<readonly [string, readonly CommandPart[]]>([
  ['a name alone', ['ping']],
  ['strings', ['set', 'key', 'value']],
  ['what is empty', ['set', '', Buffer.alloc(0)]],
  ['all bytes there are', ['set', 'key', bytes(256)]],
  ['parts with ends of line in them', ['set', 'a\r\nb', Buffer.from('\r\n$5\r\n')]],
  ['characters of two, three and four bytes', ['set', 'é', '€', '😀', `9${'é'.repeat(9)}`, 'é'.repeat(99)]],
  ['halves of characters', ['set', '\ud83d', '\ude00x']],
  [
    'lengths about each power of ten',
    ['x', ...[1, 9, 10, 11, 99, 100, 999, 1_000, 9_999, 10_000].map((n) => 'y'.repeat(n))],
  ],
  ['many parts', ['x', ...Array.from({ length: 1_234 }, (_, n) => String(n))]],
  ['more than a slab', ['x', 'é'.repeat(70_000), bytes(200_000), 'end']],
])('%s are encoded as by ioredis', (_, parts) => {
  expect(encodeCommand(parts, []).equals(byIoredis(parts))).toBe(true);
  expect(encodeCommand(parts.slice(0, 1), parts.slice(1)).equals(byIoredis(parts))).toBe(true);
});

test('one command is not written over by the next', () => {
  const commands = Array.from({ length: 500 }, (_, n) => ['set', `key-${n}`, 'é'.repeat(n), bytes(n)]);
  const encoded = commands.map((parts) => encodeCommand(parts, []));
  expect(encoded.every((each, n) => each.equals(byIoredis(commands[n] ?? [])))).toBe(true);
});
