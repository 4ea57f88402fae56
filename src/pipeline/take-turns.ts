/**
 * Runs work one at a time for each key, of those that wait the one with the least `order` first; different keys do
 * not wait for each other.
 */
export type TakeTurns = <T>(key: string, order: number, work: () => Promise<T>) => Promise<T>;

/**
 * Makes a set of turns.
 *
 * Two reports for one sync job must not race: the text of the one that was accepted first is the one to keep. They
 * come here in their order, see `arrivals.ts` and `slots.ts`.
 */
export function turns(): TakeTurns {
  /** Those who wait for the one at work, by key; nearly always that is nobody, and then there is no list. */
  const waiting = new Map<string, Place[] | undefined>();

  function wait(key: string, order: number): Promise<void> {
    const lane = waiting.get(key) ?? [];
    waiting.set(key, lane);
    return new Promise((start) => stand(lane, { order, start }));
  }

  function startNext(key: string): void {
    const next = waiting.get(key)?.shift();
    if (next === undefined) waiting.delete(key);
    else next.start();
  }

  return async (key, order, work) => {
    if (waiting.has(key)) await wait(key, order);
    else waiting.set(key, undefined);
    try {
      return await work();
    } finally {
      startNext(key);
    }
  };
}

interface Place {
  readonly order: number;
  readonly start: () => void;
}

function stand(lane: Place[], place: Place): void {
  const later = lane.findIndex((other) => other.order > place.order);
  if (later < 0) lane.push(place);
  else lane.splice(later, 0, place);
}
