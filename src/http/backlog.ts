import type { QueueDepth } from '../pipeline/ports.ts';
import { Problem } from './problem.ts';

/** How long a depth that was read counts, in milliseconds. */
const FRESH_MS = 500;

/** Seconds after which a client may try again. */
const RETRY_S = 5;

/** Keeps the queue from growing beyond what it may hold. */
export interface Backlog {
  /**
   * Resolves where there is room.
   *
   * @throws {Problem} `backlog_full` where there is none
   */
  admit(): Promise<void>;
}

/**
 * Watches the depth of the queue, asking for it now and then while reports come. A depth that cannot be read
 * stops nothing: then the queue does not answer, and says so itself.
 */
export function watchBacklog(depth: () => Promise<QueueDepth>, max: number, now: () => number): Backlog {
  let reports = 0;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  function read(): Promise<void> {
    reading ??= depth()
      .then(({ waiting, delayed }) => {
        reports = waiting + delayed;
      })
      .catch(() => undefined)
      .finally(() => {
        readAtMs = now();
        reading = undefined;
      });
    return reading;
  }

  return {
    async admit() {
      const isFirst = readAtMs === Number.NEGATIVE_INFINITY;
      // Only the very first waits for the answer; after that a depth half a second old is good enough.
      if (isFirst) await read();
      else if (now() - readAtMs > FRESH_MS) void read();
      if (reports < max) return;
      throw new Problem('backlog_full', {
        detail: `${reports} reports wait already, and ${max} are the most; try again later.`,
        retryAfterS: RETRY_S,
      });
    },
  };
}
