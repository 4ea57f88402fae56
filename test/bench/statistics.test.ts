import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mean, median, pairwise, percentile, summaryOf } from '../../bench/figures/statistics.ts';

const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });

test('the median is the value in the middle, or the mean of the two', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
});

test('half of the values are not above the median, and half not below', () => {
  fc.assert(
    fc.property(values, (some) => {
      const middle = median(some);
      expect(some.filter((value) => value <= middle).length * 2).toBeGreaterThanOrEqual(some.length);
      expect(some.filter((value) => value >= middle).length * 2).toBeGreaterThanOrEqual(some.length);
    }),
  );
});

test('a percentile is one of the values, and so large a share is not above it', () => {
  expect(percentile([10, 20, 30, 40], 0.5)).toBe(20);
  expect(percentile([10, 20, 30, 40], 0.99)).toBe(40);
  expect(percentile(Float64Array.of(2, 1), 0.5)).toBe(1);
  fc.assert(
    fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (some, share) => {
      const found = percentile(some, share);
      expect(some).toContain(found);
      expect(some.filter((value) => value <= found).length).toBeGreaterThanOrEqual(
        Math.ceil(some.length * share),
      );
    }),
  );
});

test('the order of the values says nothing, and they stay as they were', () => {
  const some = Object.freeze([5, -1, 12]);
  expect(summaryOf(some)).toEqual({ median: 5, min: -1, max: 12 });
  expect(mean(some)).toBeCloseTo(16 / 3);
});

test('of nothing there is no median, no mean and no percentile', () => {
  expect(() => median([])).toThrow(RangeError);
  expect(() => mean([])).toThrow(RangeError);
  expect(() => percentile([], 0.5)).toThrow(RangeError);
});

test('rounds are combined one by one, and as many of each are needed', () => {
  expect(pairwise([10, 30], [5, 10], (a, b) => a / b)).toEqual([2, 3]);
  expect(() => pairwise([1], [1, 2], (a, b) => a / b)).toThrow('1 rounds on one side and 2 on the other');
});
