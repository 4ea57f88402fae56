import fc from 'fast-check';
import { expect, test } from 'vitest';
import { payloadText } from '../../src/pipeline/payload-text.ts';

/** Deeper than any stack. */
const DEEP = 200_000;

test('what could not be parsed is kept as it was found', () => {
  expect(payloadText({ kind: 'text', text: '{"half' })).toBe('{"half');
});

test('a value of JSON is written as JSON', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(payloadText({ kind: 'json', value: JSON.parse(text) })).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test.each([
  ['arrays', '['.repeat(DEEP) + ']'.repeat(DEEP)],
  ['objects', `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`],
  ['both, with neighbours', `${'{"a":null,"b":["x",'.repeat(DEEP)}0${'],"__proto__":"\\n"}'.repeat(DEEP)}`],
])('%s nested deeper than any stack are written too', (_, text) => {
  expect(payloadText({ kind: 'json', value: JSON.parse(text) }) === text).toBe(true);
});
