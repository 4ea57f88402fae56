/** Chance that can be repeated: the same seed gives the same faults. */

/** A number in 0..1, 1 excluded. */
export type Random = () => number;

/** A generator from a seed (algorithm: mulberry32 by Tommy Ettinger, public domain). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How long to wait, in milliseconds. */
export type Latency =
  | { readonly distribution: 'fixed'; readonly ms: number }
  | { readonly distribution: 'uniform'; readonly minMs: number; readonly maxMs: number }
  | {
      readonly distribution: 'log-normal';
      readonly medianMs: number;
      /** Standard deviation of the logarithm; 0.5 is mild, 1 has a long tail. */
      readonly sigma: number;
      /** Longest wait. Default: none. */
      readonly maxMs?: number;
    };

/** One wait of a distribution, in milliseconds. */
export function sampleLatency(latency: Latency, random: Random): number {
  switch (latency.distribution) {
    case 'fixed':
      return latency.ms;
    case 'uniform':
      return latency.minMs + (latency.maxMs - latency.minMs) * random();
    case 'log-normal':
      return Math.min(latency.medianMs * Math.exp(latency.sigma * normal(random)), latency.maxMs ?? Infinity);
  }
}

/** A standard normal number (Box and Muller, 1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
