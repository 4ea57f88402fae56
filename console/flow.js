/** The flow of the last hour, and the figures that are made of it. */

/**
 * @typedef {object} Point
 * @property {number} at Milliseconds since 1970.
 * @property {Readonly<Record<string, number>>} counts
 * @property {number} [backlog]
 */

/**
 * @typedef {object} Bin
 * @property {number} at The end, in seconds since 1970.
 * @property {number} seconds
 * @property {Map<string, number>} counts
 * @property {number | undefined} backlog
 */

const KEPT_MS = 3_600_000;

/** Workers send their counts on every two seconds; what is older than that is whole. */
const SETTLED_MS = 2_500;

/** Keeps the points, newest of each moment. */
export class Flow {
  /** @type {Map<number, Point>} */
  #points = new Map();
  #bucketMs = 5_000;
  nowMs = Date.now();

  /** @param {readonly Point[]} points @param {number} bucketMs */
  begin(points, bucketMs) {
    this.#bucketMs = bucketMs;
    this.#points = new Map(points.map((point) => [point.at, point]));
  }

  /** @param {readonly Point[]} points @param {number} nowMs the door's clock */
  add(points, nowMs) {
    this.nowMs = nowMs;
    for (const point of points) this.#points.set(point.at, point);
    for (const at of this.#points.keys()) if (at < nowMs - KEPT_MS) this.#points.delete(at);
  }

  /**
   * The mean of the last two buckets that are whole, per second.
   *
   * @param {...string} names
   */
  rate(...names) {
    const end = this.#lastWhole();
    let count = 0;
    for (const at of [end, end - this.#bucketMs]) {
      for (const name of names) count += sumOf(this.#points.get(at)?.counts, name);
    }
    return (count * 1_000) / (2 * this.#bucketMs);
  }

  /**
   * A range in equal steps, oldest first, without what is not whole yet.
   *
   * @param {number} rangeMs
   * @param {number} stepMs a multiple of a bucket
   * @returns {Bin[]}
   */
  bins(rangeMs, stepMs) {
    const end = Math.floor((this.#lastWhole() + this.#bucketMs) / stepMs) * stepMs;
    /** @type {Bin[]} */
    const bins = [];
    for (let from = end - rangeMs; from < end; from += stepMs) {
      /** @type {Map<string, number>} */
      const counts = new Map();
      let backlog;
      for (let at = from; at < from + stepMs; at += this.#bucketMs) {
        const point = this.#points.get(at);
        if (point === undefined) continue;
        backlog = point.backlog ?? backlog;
        for (const [name, count] of Object.entries(point.counts))
          counts.set(name, (counts.get(name) ?? 0) + count);
      }
      bins.push({ at: (from + stepMs) / 1_000, seconds: stepMs / 1_000, counts, backlog });
    }
    return bins;
  }

  #lastWhole() {
    return Math.floor((this.nowMs - SETTLED_MS) / this.#bucketMs) * this.#bucketMs - this.#bucketMs;
  }
}

/**
 * One count, or all that begin with a name that ends in a colon.
 *
 * @param {Readonly<Record<string, number>> | undefined} counts
 * @param {string} name
 */
function sumOf(counts, name) {
  if (counts === undefined) return 0;
  if (!name.endsWith(':')) return counts[name] ?? 0;
  let sum = 0;
  for (const [each, count] of Object.entries(counts)) if (each.startsWith(name)) sum += count;
  return sum;
}

/**
 * @param {Bin} bin
 * @param {...string} names
 */
export function countIn(bin, ...names) {
  const counts = Object.fromEntries(bin.counts);
  return names.reduce((sum, name) => sum + sumOf(counts, name), 0);
}

/**
 * The time within which a part of the reports of a bin were delivered, in milliseconds; null where there were
 * none.
 *
 * @param {Bin} bin
 * @param {number} part from 0 to 1
 */
export function deliveredWithin(bin, part) {
  const bounds = [...bin.counts]
    .filter(([name]) => name.startsWith('delivery:'))
    .map(([name, count]) => /** @type {const} */ ([Number(name.slice('delivery:'.length)), count]))
    .sort(([one], [other]) => one - other);
  const all = bounds.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [bound, count] of bounds) {
    seen += count;
    if (seen >= all * part) return bound;
  }
  return null;
}
