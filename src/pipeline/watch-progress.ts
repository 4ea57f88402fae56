/** What a watchdog looks at. */
export interface ProgressContext {
  /** How many reports could be taken, where nobody has paused the queue; 0 otherwise. */
  readonly takeable: () => Promise<number>;
  /** When an attempt last began or ended, or a job was last seen to wait at the gate, in milliseconds. */
  readonly lastSignOfLifeMs: () => number;
  /** Attempts under way, those that wait at the gate included. */
  readonly underWay: () => number;
  readonly now: () => number;
}

export interface ProgressPolicy {
  /** How long reports may wait for a worker that does nothing, in milliseconds. */
  readonly stuckAfterMs: number;
}

/** An answer that took longer says that Redis is not well. */
const SLOW_MS = 2_000;

/**
 * Tells whether a worker is alive but does nothing while reports wait: a connection that has died without a
 * word looks healthy from both ends, and only missing progress shows it.
 *
 * @returns the reason where it is stuck
 */
export function progressWatch(
  context: ProgressContext,
  { stuckAfterMs }: ProgressPolicy,
): () => Promise<string | undefined> {
  let waitingSinceMs: number | undefined;
  return async () => {
    const askedAtMs = context.now();
    const wait = waitingSinceMs;
    // Where the question fails, nothing is known of the time before it.
    waitingSinceMs = undefined;
    if (context.underWay() > 0 || (await context.takeable()) === 0) return undefined;
    const nowMs = context.now();
    // Redis was away or slow: then it is no wonder that nothing was taken.
    if (nowMs - askedAtMs > SLOW_MS) return undefined;
    waitingSinceMs = wait ?? nowMs;
    const idleMs = nowMs - Math.max(waitingSinceMs, context.lastSignOfLifeMs());
    return idleMs < stuckAfterMs
      ? undefined
      : `reports wait, and this worker has taken none for ${Math.round(idleMs / 1_000)} s`;
  };
}
