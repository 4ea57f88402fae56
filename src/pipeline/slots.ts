/** Places for attempts that are under way at once. */
export interface Slots {
  /** Does the work once there is a place for it; those that wait are served in their order. */
  taking<T>(work: () => Promise<T>): Promise<T>;
  /** Changes how many places there are; what is under way is left to end. */
  setLimit(limit: number): void;
}

/** Makes places for so many attempts. */
export function openSlots(limit: number): Slots {
  let places = limit;
  let taken = 0;
  let waiting: (() => void)[] = [];
  /** Those of `waiting` that have been served; the list is cut now and then, and not at each. */
  let served = 0;

  function serve(): void {
    while (taken < places && served < waiting.length) {
      taken += 1;
      waiting[served++]?.();
    }
    if (served === waiting.length) {
      waiting = [];
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
