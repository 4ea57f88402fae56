import { expect, test } from 'vitest';
import {
  afterFirstAttempt,
  FULL_BUDGET,
  type RetryBudget,
  takeRetry,
} from '../../src/domain/retry-budget.ts';

/** How many of the retries asked for are within the budget. */
function within(
  budget: RetryBudget,
  retries: number,
): { readonly count: number; readonly budget: RetryBudget } {
  let count = 0;
  let left = budget;
  for (let n = 0; n < retries; n += 1) {
    const taken = takeRetry(left);
    left = taken.budget;
    if (taken.isWithin) count += 1;
  }
  return { count, budget: left };
}

test('a burst of failures may be retried out of the stock', () => {
  expect(within(FULL_BUDGET, 100).count).toBe(100);
  expect(within(FULL_BUDGET, 101).count).toBe(100);
});

test('beyond the stock retries are a fifth of what is sent for the first time', () => {
  let { budget } = within(FULL_BUDGET, 100);
  for (let n = 0; n < 1_000; n += 1) budget = afterFirstAttempt(budget);
  expect(budget.stock).toBe(100);

  let allowed = 0;
  budget = { stock: 0 };
  for (let n = 0; n < 1_000; n += 1) {
    budget = afterFirstAttempt(budget);
    const taken = takeRetry(budget);
    budget = taken.budget;
    if (taken.isWithin) allowed += 1;
  }
  expect(allowed).toBeGreaterThanOrEqual(198);
  expect(allowed).toBeLessThanOrEqual(200);
});
