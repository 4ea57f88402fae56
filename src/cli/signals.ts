import { exitCodeOf } from './exit-codes.ts';

/** The signals that ask a process to end. */
export type EndSignal = 'SIGINT' | 'SIGTERM';

/**
 * `npm run` passes on a Ctrl-C that the terminal has sent to the whole group already, so that a process gets
 * it twice within a moment.
 */
const ECHO_MS = 50;

/** Calls `onFirst` once, at the first signal; the next one ends the process at once. */
export function onEndSignal(onFirst: (signal: EndSignal) => void): Disposable {
  let firstAt: number | undefined;
  const hear = (signal: EndSignal): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      onFirst(signal);
    } else if (now - firstAt > ECHO_MS) {
      process.exit(exitCodeOf(signal));
    }
  };
  process.on('SIGINT', hear).on('SIGTERM', hear);
  return {
    [Symbol.dispose]() {
      process.off('SIGINT', hear).off('SIGTERM', hear);
    },
  };
}
