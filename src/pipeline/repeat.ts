export interface RepeatContext {
  readonly intervalMs: number;
  /** Waits so many milliseconds, or until the signal. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Is told what the work rejected with; it is repeated all the same. */
  readonly onError: (error: unknown) => void;
}

/**
 * Does the work now and again and again, never twice at once.
 *
 * @returns what ends it, and resolves when the last one has ended
 */
export function repeat(
  work: () => Promise<unknown>,
  { intervalMs, pause, onError }: RepeatContext,
): () => Promise<void> {
  const ended = new AbortController();
  const loop = (async () => {
    while (!ended.signal.aborted) {
      await work().catch((error: unknown) => {
        if (!ended.signal.aborted) onError(error);
      });
      await pause(intervalMs, ended.signal);
    }
  })();
  return async () => {
    ended.abort();
    await loop;
  };
}
