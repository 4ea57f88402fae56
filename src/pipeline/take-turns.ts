/** Turns for each key: one at a time, and different keys do not wait for each other. */
export interface Turns {
  /**
   * Waits for a turn, which has to be given back; of those that wait the one with the least order goes first.
   *
   * @returns undefined where nobody else has a turn, and there is nothing to wait for
   */
  take(key: string, order: number): Promise<void> | undefined;
  giveBack(key: string): void;
}

/**
 * Makes a set of turns.
 *
 * Two reports for one sync job must not race: the text of the one that was accepted first is the one to keep. They
 * come here in their order, see `arrivals.ts` and `slots.ts`.
 */
export function turns(): Turns {
  /** Those who wait for the one whose turn it is, by key; nearly always that is nobody, and then there is no list. */
  const waiting = new Map<string, Place[] | undefined>();

  return {
    take(key, order) {
      if (!waiting.has(key)) {
        waiting.set(key, undefined);
        return undefined;
      }
      const lane = waiting.get(key) ?? [];
      waiting.set(key, lane);
      return new Promise((start) => stand(lane, { order, start }));
    },
    giveBack(key) {
      const next = waiting.get(key)?.shift();
      if (next === undefined) waiting.delete(key);
      else next.start();
    },
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
