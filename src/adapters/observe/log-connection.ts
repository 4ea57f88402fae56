import type { Log } from '../../pipeline/ports.ts';

/** What a connection tells of itself. */
export interface ConnectionLog {
  /** It failed, or failed again. */
  onFault(error: Error): void;
  /** It is there, for the first time or again. */
  onReady(): void;
}

/**
 * Logs once when a connection goes away and once when it is back, however often it is tried in between.
 *
 * @param name what it leads to, `redis` for instance
 */
export function logConnection(
  name: string,
  log: Pick<Log, 'info' | 'warn'>,
  now: () => number,
): ConnectionLog {
  let awaySinceMs: number | undefined;
  return {
    onFault(error) {
      if (awaySinceMs !== undefined) return;
      awaySinceMs = now();
      log.warn({ error: error.message }, `${name} is away`);
    },
    onReady() {
      if (awaySinceMs === undefined) return;
      log.info({ away_ms: now() - awaySinceMs }, `${name} is back`);
      awaySinceMs = undefined;
    },
  };
}
