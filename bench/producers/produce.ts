import { fileURLToPath } from 'node:url';
import { startChild } from '../stage/child.ts';

/** What a producer's process is told, and sends back one message for. */
export interface Production {
  readonly way: ProducingWay;
  readonly redisUrl: string;
  readonly warmUpReports: number;
  readonly reports: number;
}

export type ProducingWay =
  | 'library_each'
  | 'library_many'
  | 'library_50'
  | 'library_one'
  | 'add_bulk'
  | 'add_one';

/** Hands reports in from a fresh process. @returns reports a second, its start and warm-up left out */
export async function produce(production: Production): Promise<number> {
  await using child = startChild(
    {
      args: [fileURLToPath(new URL('producer-process.ts', import.meta.url))],
      env: { BENCH_PRODUCTION: JSON.stringify(production) },
    },
    { talks: true, name: `producer ${production.way}` },
  );
  const took = new Promise<number>((resolve) => child.process.once('message', (ms) => resolve(Number(ms))));
  return (production.reports * 1_000) / (await child.during(took));
}
