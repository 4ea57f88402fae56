import { setImmediate as afterIo } from 'node:timers/promises';

/** A clock that only the test moves. */
export interface FakeClock {
  readonly now: () => number;
  /** Waits until the clock has been moved so far, or until the signal. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Moves the clock, and lets everything that was waiting for it happen in its order. */
  advance(ms: number): Promise<void>;
  /** Lets everything happen that waits for nothing but its turn. */
  settle(): Promise<void>;
}

interface Timer {
  readonly atMs: number;
  readonly ring: () => void;
}

/** @param startMs what it shows at first, in milliseconds since 1970 */
export function fakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  let nowMs = startMs;
  const timers = new Set<Timer>();

  async function settle(): Promise<void> {
    for (let n = 0; n < 3; n += 1) await afterIo();
  }

  function nextUntil(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.atMs <= endMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  }

  return {
    now: () => nowMs,
    settle,
    pause(ms, signal) {
      return new Promise((resolve) => {
        if (signal.aborted) {
          resolve();
          return;
        }
        const end = (): void => {
          timers.delete(timer);
          signal.removeEventListener('abort', end);
          resolve();
        };
        const timer: Timer = { atMs: nowMs + ms, ring: end };
        timers.add(timer);
        signal.addEventListener('abort', end);
      });
    },
    async advance(ms) {
      const endMs = nowMs + ms;
      await settle();
      for (let timer = nextUntil(endMs); timer !== undefined; timer = nextUntil(endMs)) {
        nowMs = Math.max(nowMs, timer.atMs);
        timer.ring();
        // What rings at the same moment rings before anybody has gone on.
        for (const other of timers) if (other.atMs <= nowMs) other.ring();
        await settle();
      }
      nowMs = endMs;
    },
  };
}
