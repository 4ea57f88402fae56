import { describe, expect, test } from 'vitest';
import { DEAD_LETTER_CODES, VERDICT_CODES } from '../../src/domain/codes.ts';
import { DEAD_LETTER_REASONS, deadLetterId } from '../../src/domain/dead-letter.ts';

test('a letter has the id of its job after a prefix, so that there is one letter for a job', () => {
  expect(deadLetterId('r-abc')).toBe('d-r-abc');
});

describe.each([
  ['verdict', VERDICT_CODES],
  ['dead letter', DEAD_LETTER_CODES],
])('the codes of a %s', (_, codes: readonly string[]) => {
  test('are in the order of the alphabet, each once', () => {
    expect(codes).toEqual([...new Set(codes)].sort());
  });

  test('are lower case with underscores, as labels and filters need them', () => {
    for (const code of codes) expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
  });
});

test('every code of a dead letter is one of a verdict, but for the two that say that time or attempts ran out', () => {
  const own = DEAD_LETTER_CODES.filter((code) => !(VERDICT_CODES as readonly string[]).includes(code));
  expect(own).toEqual(['attempts_exhausted', 'expired']);
});

test('every code of a dead letter has a reason of its own, one sentence', () => {
  expect(Object.keys(DEAD_LETTER_REASONS).sort()).toEqual([...DEAD_LETTER_CODES]);
  const reasons = Object.values(DEAD_LETTER_REASONS);
  for (const reason of reasons) expect(reason).toMatch(/^[A-Z].{10,}\.$/);
  expect(new Set(reasons).size).toBe(reasons.length);
});
