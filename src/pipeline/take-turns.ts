/** Runs work one at a time for each key, in the order it was handed in; different keys do not wait. */
export type TakeTurns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * Makes a set of turns.
 *
 * Two reports for one sync job must not race: the first one's text is the one to keep. The queue hands
 * them over in order, so that waiting for the one before is enough within a process.
 */
export function turns(): TakeTurns {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key);
    // Whether the one before failed is its own caller's business.
    const run = before === undefined ? work() : before.then(work, work);
    last.set(key, run);
    try {
      return await run;
    } finally {
      if (last.get(key) === run) last.delete(key);
    }
  };
}
