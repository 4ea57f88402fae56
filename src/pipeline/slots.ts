/** Places for attempts that are under way at once. */
export interface Slots {
  /**
   * Takes a place once there is one, which has to be given back. Of those that wait the one with the least order is
   * served first; what arrives in one turn of the event loop is sorted before any of it is served.
   */
  take(order: number): Promise<void>;
  giveBack(): void;
  /** Changes how many places there are; what is under way is left to end. */
  setLimit(limit: number): void;
}

interface Waiting {
  readonly order: number;
  readonly start: () => void;
}

/** Those that have been served are let go of when there are so many, and at least as many as still wait. */
const MOST_SERVED = 1_024;

/** Makes places for so many attempts. */
export function openSlots(limit: number): Slots {
  let places = limit;
  let taken = 0;
  let arriving: Waiting[] = [];
  let waiting: Waiting[] = [];
  /**
   * Those of `waiting` that have been served; the list is cut now and then, and not at each. It may never be empty:
   * a worker with a backlog always has some at hand.
   */
  let served = 0;

  function serve(): void {
    while (taken < places && served < waiting.length) {
      taken += 1;
      waiting[served++]?.start();
    }
    if (served === waiting.length || (served >= MOST_SERVED && served * 2 >= waiting.length)) {
      waiting = waiting.slice(served);
      served = 0;
    }
  }

  function gather(): void {
    for (const one of arriving) stand(waiting, one, served);
    arriving = [];
    serve();
  }

  return {
    take: (order) =>
      new Promise((start) => {
        if (arriving.length === 0) setImmediate(gather);
        arriving.push({ order, start });
      }),
    giveBack() {
      taken -= 1;
      serve();
    },
    setLimit(next) {
      places = next;
      serve();
    },
  };
}

/** Puts one behind those of the same order or less; nearly always that is the end. */
function stand(waiting: Waiting[], one: Waiting, served: number): void {
  let at = waiting.length;
  while (at > served && (waiting[at - 1]?.order ?? 0) > one.order) at -= 1;
  if (at === waiting.length) waiting.push(one);
  else waiting.splice(at, 0, one);
}
