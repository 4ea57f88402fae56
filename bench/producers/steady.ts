import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../stage/child.ts';

/** Reports that come at a steady rate, whatever becomes of those before. */
export interface SteadyProduction {
  readonly way: 'relay' | 'bullmq' | 'direct';
  readonly redisUrl: string;
  readonly elasticsearchUrl: string;
  readonly perSecond: number;
  /** The first report's number; those before it are for its warm-up. */
  readonly from: number;
  readonly count: number;
}

export interface SteadyProducer extends AsyncDisposable {
  readonly child: Child;
  /** When each report was handed in, on the clock of `nowMs`; resolves when the last one was. */
  readonly handedInAtMs: Promise<Float64Array>;
}

/** Starts a process that hands them in. */
export function startSteadyProducer(production: SteadyProduction): SteadyProducer {
  const child = startChild(
    {
      args: [fileURLToPath(new URL('steady-process.ts', import.meta.url))],
      env: { BENCH_PRODUCTION: JSON.stringify(production) },
    },
    { talks: true, name: `steady producer (${production.way})` },
  );
  const told = new Promise<Float64Array>((resolve) =>
    child.process.once('message', (times) => resolve(times as Float64Array)),
  );
  const handedInAtMs = child.during(told);
  // Met where it is awaited; whoever is not interested in times lets it be.
  handedInAtMs.catch(() => undefined);
  return { child, handedInAtMs, [Symbol.asyncDispose]: () => child.kill() };
}
