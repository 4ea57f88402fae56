/** What must not outlive this process, however it ends, unless it is killed. */
const cleanups = new Set<() => void>();

process.on('exit', () => {
  for (const cleanup of cleanups) cleanup();
});

/** Does this at the process's end, at once and without waiting; returns what calls it off. */
export function atExit(cleanup: () => void): () => void {
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
}
