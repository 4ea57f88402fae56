/** The value in the middle; of an even number the mean of the two. @throws {RangeError} where there is none */
export function median(values: readonly number[]): number {
  const sorted = sort(values);
  const middle = sorted.length / 2;
  const upper = at(sorted, Math.floor(middle));
  return Number.isInteger(middle) ? (at(sorted, middle - 1) + upper) / 2 : upper;
}

/**
 * The least value that so large a share of the values does not exceed.
 *
 * @param share above 0, at most 1
 * @throws {RangeError} where there are no values
 */
export function percentile(values: ArrayLike<number>, share: number): number {
  const sorted = sort(Array.from(values));
  return at(sorted, Math.ceil(sorted.length * share) - 1);
}

/** The arithmetic mean. @throws {RangeError} where there are no values */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there is no mean of nothing');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What is told of values: the middle one and how far they spread. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws {RangeError} where there are no values */
export function summaryOf(values: readonly number[]): Summary {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * Combines values round by round: what happened in the same round happened to the same machine.
 *
 * @throws {RangeError} where one has rounds that the other has not
 */
export function pairwise(
  left: readonly number[],
  right: readonly number[],
  combine: (left: number, right: number) => number,
): readonly number[] {
  if (left.length !== right.length) {
    throw new RangeError(`${left.length} rounds on one side and ${right.length} on the other`);
  }
  return left.map((value, round) => combine(value, at(right, round)));
}

function sort(values: readonly number[]): readonly number[] {
  return [...values].sort((a, b) => a - b);
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError('there are no values');
  return value;
}
