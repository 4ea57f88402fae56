import type { Log } from '../../pipeline/ports.ts';
import { readTracing } from './read-tracing.ts';

/** Tracing that was set up, or the lack of it; disposing of it sends what is left, for a bounded time. */
export interface StartedTracing extends AsyncDisposable {
  /** Does work as a part of the trace that this process was started for, where there is one. */
  within<T>(work: () => T): T;
}

const NOTHING: StartedTracing = { within: (work) => work(), [Symbol.asyncDispose]: async () => undefined };

/**
 * Sets OpenTelemetry up in this process where its variables ask for that; otherwise nothing of it is loaded.
 *
 * Traces are never worth a report: what is wrong with them is logged, and the work goes on without.
 *
 * @param env the process's environment; the packages of OpenTelemetry read theirs from the process itself
 */
export async function startTracing(
  env: Readonly<Record<string, string | undefined>>,
  log: Pick<Log, 'info' | 'warn'>,
): Promise<StartedTracing> {
  const wish = readTracing(env);
  switch (wish.kind) {
    case 'off':
      return NOTHING;
    case 'unknown': {
      const { variable, expected, got } = wish;
      log.warn(
        { variable, expected, got },
        'traces are asked for in a way that is not known; there are none',
      );
      return NOTHING;
    }
    case 'on': {
      const { sendTraces } = await import('./send-traces.ts');
      return sendTraces(env, log);
    }
  }
}
