/**
 * How many retries a worker may make soon: a share of what it sends for the first time, with a small stock.
 *
 * A server that fails now and then must not get every request several times over on top, or its failing
 * keeps it failing. What is beyond the budget is still retried, only later.
 */
export interface RetryBudget {
  /** Retries in stock. */
  readonly stock: number;
}

const MOST = 100;

/** Every first attempt allows for so much of a retry. */
const SHARE = 0.2;

export const FULL_BUDGET: RetryBudget = { stock: MOST };

/** The budget after a report was sent for the first time. */
export function afterFirstAttempt({ stock }: RetryBudget): RetryBudget {
  return { stock: Math.min(stock + SHARE, MOST) };
}

/** Takes a retry out of the budget, and says whether there was one. */
export function takeRetry(budget: RetryBudget): { readonly budget: RetryBudget; readonly isWithin: boolean } {
  return budget.stock < 1
    ? { budget, isWithin: false }
    : { budget: { stock: budget.stock - 1 }, isWithin: true };
}
