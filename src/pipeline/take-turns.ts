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
    const turn = enter(lane, order);
    await gathered();
    startNext(lane);
    await turn;
    try {
      return await work();
    } finally {
      lane.busy = false;
      startNext(lane);
      if (!lane.busy) lanes.delete(key);
    }
  };
}

interface Lane {
  /** Who waits, least order first. */
  readonly waiting: { readonly order: number; readonly start: () => void }[];
  busy: boolean;
}

function enter(lane: Lane, order: number): Promise<void> {
  return new Promise((start) => {
    const later = lane.waiting.findIndex((other) => other.order > order);
    lane.waiting.splice(later < 0 ? lane.waiting.length : later, 0, { order, start });
  });
}

function startNext(lane: Lane): void {
  if (lane.busy) return;
  const next = lane.waiting.shift();
  if (next === undefined) return;
  lane.busy = true;
  next.start();
}
