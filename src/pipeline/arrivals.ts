/** A job that has been fetched and has not begun. */
export interface Arrival {
  /** Says that everything about it is known; a bundle takes a moment to open. May be repeated. */
  opened(): void;
  /** Waits until it may begin. */
  begin(): Promise<void>;
}

/** The order of two texts for one sync job is worth a moment, and not more, in milliseconds. */
const MOST_WAIT_MS = 2_000;

/**
 * Lets jobs begin in the order in which they were fetched: those that arrive in one turn of the event loop begin
 * together, when all of them are open, and after those that arrived before.
 *
 * What the queue hands over in order may come in another one out of BullMQ, because fetching and completing with
 * fetching take different ways through it. Begun together, reports are sorted by where they wait next.
 */
export function openArrivals(mostWaitMs: number = MOST_WAIT_MS): () => Arrival {
  let arriving: Group | undefined;
  let before: Promise<void> = Promise.resolve();

  function newGroup(): Group {
    const { promise, resolve } = Promise.withResolvers<void>();
    const earlier = before;
    const patience = setTimeout(resolve, mostWaitMs);
    const begin = earlier.then(() => promise).then(() => clearTimeout(patience));
    const group: Group = { unopened: 0, isClosed: false, resolve, begin };
    before = group.begin;
    setImmediate(() => {
      arriving = undefined;
      group.isClosed = true;
      beginIfOpen(group);
    });
    return group;
  }

  return () => {
    arriving ??= newGroup();
    const group = arriving;
    let isOpen = false;
    group.unopened += 1;
    return {
      opened() {
        if (isOpen) return;
        isOpen = true;
        group.unopened -= 1;
        beginIfOpen(group);
      },
      begin: () => group.begin,
    };
  };
}

interface Group {
  unopened: number;
  /** Whether nothing more joins it. */
  isClosed: boolean;
  readonly resolve: () => void;
  readonly begin: Promise<void>;
}

function beginIfOpen({ unopened, isClosed, resolve }: Group): void {
  if (isClosed && unopened === 0) resolve();
}
