/** Places for attempts that are under way at once. */
export interface Slots {
  /** Does the work once there is a place for it; those that wait are served in their order. */
  taking<T>(work: () => Promise<T>): Promise<T>;
  /** Changes how many places there are; what is under way is left to end. */
  setLimit(limit: number): void;
}

/** Those that have been served are let go of when there are so many, and at least as many as still wait. */
const MOST_SERVED = 1_024;

/** Makes places for so many attempts. */
export function openSlots(limit: number): Slots {
  let places = limit;
  let taken = 0;
  let waiting: (() => void)[] = [];
  /**
   * Those of `waiting` that have been served; the list is cut now and then, and not at each. It may never be empty:
   * a worker with a backlog always has some at hand.
   */
  let served = 0;

  function serve(): void {
    while (taken < places && served < waiting.length) {
      taken += 1;
      waiting[served++]?.();
    }
    if (served === waiting.length || (served >= MOST_SERVED && served * 2 >= waiting.length)) {
      waiting = waiting.slice(served);
      served = 0;
    }
  }

  return {
    async taking(work) {
      if (taken < places && waiting.length === 0) {
        taken += 1;
      } else {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
      }
      try {
        return await work();
      } finally {
        taken -= 1;
        serve();
      }
    },
    setLimit(next) {
      places = next;
      serve();
    },
  };
}
