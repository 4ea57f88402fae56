/** What is to be done when a signal fires, for the signals that anything was asked of. */
const asked = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Does the work when the signal fires, unless what is given back is called before.
 *
 * A signal searches its own list of listeners whenever one is added or removed, and all requests of a worker hang on
 * one signal: with hundreds under way that cost more than many a request. So it gets one listener for all of them.
 */
export function onInterruption(signal: AbortSignal, work: () => void): () => void {
  const works = asked.get(signal) ?? listenTo(signal);
  works.add(work);
  return () => works.delete(work);
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const works = new Set<() => void>();
  asked.set(signal, works);
  signal.addEventListener(
    'abort',
    () => {
      for (const work of works) work();
    },
    { once: true },
  );
  return works;
}
