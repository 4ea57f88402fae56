/** Chance that can be repeated: everything a run leaves to chance comes from its seed. */

/** A number from 0 (included) to 1 (excluded). */
export type Random = () => number;

/** A generator that the seed decides: mulberry32, by Tommy Ettinger (public domain). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A generator of its own for each part of a run, so that one part's use of chance moves no other's. */
export function fork(seed: number, part: string): Random {
  let hash = 2_166_136_261;
  for (const character of part) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619);
  return seeded(seed ^ hash);
}

/** A whole number from 0 up to, but not, `limit`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** The items in another order. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = below(random, last + 1);
    const moved = result[last] as T;
    result[last] = result[other] as T;
    result[other] = moved;
  }
  return result;
}
