/**
 * Runs work one at a time for each key, the one with the least `order` first; different keys do not wait
 * for each other.
 */
export type TakeTurns = <T>(key: string, order: number, work: () => Promise<T>) => Promise<T>;

/**
 * Makes a set of turns.
 *
 * Two reports for one sync job must not race: the text of the one that was accepted first is the one to
 * keep. The queue hands them over in order, but what arrives in one tick of the event loop may be started
 * in another order, so that all that arrives together is gathered before anything of it begins.
 */
export function turns(): TakeTurns {
  const lanes = new Map<string, Lane>();
  let gathering: Promise<void> | undefined;

  function gathered(): Promise<void> {
    gathering ??= new Promise((resolve) => {
      setImmediate(() => {
        gathering = undefined;
        resolve();
      });
    });
    return gathering;
  }

  return async (key, order, work) => {
    const lane = lanes.get(key) ?? { waiting: [], busy: false };
    lanes.set(key, lane);
    const place: Place = { order };
    stand(lane, place);
    await gathered();
    if (!lane.busy && lane.waiting[0] === place) {
      lane.waiting.shift();
      lane.busy = true;
    } else {
      await new Promise<void>((resolve) => {
        place.start = resolve;
      });
    }
    try {
      return await work();
    } finally {
      lane.busy = false;
      startNext(lane);
      if (!lane.busy && lane.waiting.length === 0) lanes.delete(key);
    }
  };
}

interface Lane {
  /** Who waits, least order first. */
  readonly waiting: Place[];
  busy: boolean;
}

interface Place {
  readonly order: number;
  /** Absent while those that arrive with it are still gathered; it looks for itself then. */
  start?: () => void;
}

function stand({ waiting }: Lane, place: Place): void {
  const later = waiting.findIndex((other) => other.order > place.order);
  if (later < 0) waiting.push(place);
  else waiting.splice(later, 0, place);
}

function startNext(lane: Lane): void {
  const [next] = lane.waiting;
  if (lane.busy || next?.start === undefined) return;
  lane.waiting.shift();
  lane.busy = true;
  next.start();
}
