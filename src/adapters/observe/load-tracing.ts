import type { Tracing } from '../../pipeline/tracing.ts';

/** Where OpenTelemetry's API, of any 1.x, keeps what was set up in this process. */
const SET_UP = Symbol.for('opentelemetry.js.api.1');

/**
 * The tracing that was set up in this process, by `startTracing` or by whoever embeds the library; where nobody
 * has, undefined, and nothing of OpenTelemetry is loaded.
 */
export async function loadTracing(): Promise<Tracing | undefined> {
  if (!(SET_UP in globalThis)) return undefined;
  const { tracing } = await import('./trace-reports.ts');
  return tracing;
}
