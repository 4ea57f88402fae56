import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffDelayMs, MAX_RETRY_AFTER_MS, retryAfterMs } from '../../src/domain/backoff.ts';

const ALMOST_ONE = 1 - Number.EPSILON / 2;

describe('the wait before the next attempt', () => {
  const policy = { baseMs: 100, capMs: 10_000 };

  test.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [7, 6_400],
    [8, 10_000],
    [9, 10_000],
    [1_000_000, 10_000],
  ])('after %d failures is anything from 0 to %d ms', (failures, ceilingMs) => {
    expect(backoffDelayMs(failures, policy, () => 0)).toBe(0);
    expect(backoffDelayMs(failures, policy, () => ALMOST_ONE)).toBe(ceilingMs);
  });

  test('is a whole number of milliseconds within its bounds, whatever the policy', () => {
    const random = fc.double({ min: 0, max: ALMOST_ONE, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 1, max: 600_000 }),
        fc.nat(3_600_000),
        random,
        (failures, baseMs, capMs, drawn) => {
          const delayMs = backoffDelayMs(failures, { baseMs, capMs }, () => drawn);
          expect(Number.isSafeInteger(delayMs)).toBe(true);
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(Math.min(capMs, baseMs * 2 ** (failures - 1)));
        },
      ),
    );
  });

  test('falls on every millisecond of its range equally often', () => {
    const draws = 30_000;
    const counts = new Map<number, number>();
    for (let n = 0; n < draws; n += 1) {
      const delayMs = backoffDelayMs(2, { baseMs: 1, capMs: 1_000 }, () => n / draws);
      counts.set(delayMs, (counts.get(delayMs) ?? 0) + 1);
    }
    expect([...counts]).toEqual([
      [0, 10_000],
      [1, 10_000],
      [2, 10_000],
    ]);
  });

  test('is zero where the policy says so', () => {
    expect(backoffDelayMs(5, { baseMs: 0, capMs: 1_000 }, () => ALMOST_ONE)).toBe(0);
    expect(backoffDelayMs(5, { baseMs: 1_000, capMs: 0 }, () => ALMOST_ONE)).toBe(0);
  });
});

describe('Retry-After', () => {
  const nowMs = Date.UTC(2026, 10, 23, 9, 30, 0);
  const dateIn = (ms: number): string => new Date(nowMs + ms).toUTCString();

  test('is five minutes at most', () => {
    expect(MAX_RETRY_AFTER_MS).toBe(300_000);
  });

  test.each([
    ['0', 0],
    ['1', 1_000],
    ['120', 120_000],
    ['007', 7_000],
    [' 5\t', 5_000],
    ['300', 300_000],
    ['301', 300_000],
    ['1000000000000', 300_000],
    ['9'.repeat(400), 300_000],
  ])('reads %s as seconds', (header, delayMs) => {
    expect(retryAfterMs(header, nowMs)).toBe(delayMs);
  });

  test.each([
    [dateIn(1_000), 1_000],
    [dateIn(299_000), 299_000],
    [dateIn(300_000), 300_000],
    [dateIn(301_000), 300_000],
    ['Thu, 31 Dec 2099 23:59:59 GMT', 300_000],
    ['Monday, 23-Nov-26 09:30:07 GMT', 7_000],
  ])('reads %s as a date', (header, delayMs) => {
    expect(retryAfterMs(header, nowMs)).toBe(delayMs);
  });

  test.each([dateIn(0), dateIn(-1_000), 'Thu, 01 Jan 1970 00:00:00 GMT'])(
    'asks for nothing with %s, which is past',
    (header) => {
      expect(retryAfterMs(header, nowMs)).toBe(0);
    },
  );

  test.each([
    '',
    ' ',
    '-1',
    '-0',
    '+5',
    '1.5',
    '1e3',
    '0x10',
    '5s',
    '5, 6',
    '١٢',
    'soon',
    'NaN',
    'Infinity',
    'null',
    '2099-01-01T00:00:00Z',
    'Thu, 99 Foo 2099 99:99:99 GMT',
    'Thu, 31 Dec 2099 23:59:59',
    'Thu, 31 Dec 2099 23:59:59 +0100',
  ])('asks for nothing with %o', (header) => {
    expect(retryAfterMs(header, nowMs)).toBe(0);
  });

  test('asks for nothing where there is none', () => {
    expect(retryAfterMs(undefined, nowMs)).toBe(0);
  });

  test('is a whole number from 0 to its cap, whatever the header says', () => {
    const headers = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double().map(String),
      fc.bigInt().map(String),
      fc.date().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    fc.assert(
      fc.property(headers, fc.integer({ min: 0, max: 4_102_444_800_000 }), (header, now) => {
        const delayMs = retryAfterMs(header, now);
        expect(Number.isSafeInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(MAX_RETRY_AFTER_MS);
      }),
      { numRuns: 500 },
    );
  });
});
