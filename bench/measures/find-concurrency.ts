import { runContender } from '../stage/run-contender.ts';
import type { Stage } from '../stage/stage.ts';
import type { MeasureContext } from './measure.ts';

/** What is tried, for each latency of the server: about the rate that is possible, times the latency. */
const CANDIDATES: Readonly<Record<number, readonly number[]>> = {
  0: [10, 25, 50, 100],
  5: [50, 100, 200],
  20: [100, 200, 400],
  100: [200, 400, 800],
};

/** Finds out at which concurrency each contender is fastest, once for each latency, as somebody who tunes by hand would. */
export function concurrencyFinder(
  stage: Stage,
  reports: number,
  say: (line: string) => void,
): MeasureContext['bestConcurrency'] {
  const found = new Map<string, number>();

  return async (contender, latencyMs) => {
    // The default of ours; it finds out by itself how many more help.
    if (!contender.isTuned || reports === 0) return 50;
    const key = `${contender.name} ${latencyMs}`;
    const known = found.get(key);
    if (known !== undefined) return known;
    const tried: { readonly concurrency: number; readonly perSecond: number }[] = [];
    for (const concurrency of CANDIDATES[latencyMs] ?? [50]) {
      const { perSecond } = await runContender(contender, stage, {
        concurrency,
        latencyMs,
        warmUpReports: Math.ceil(reports / 2),
        measuredReports: reports,
      });
      tried.push({ concurrency, perSecond });
    }
    const best = tried.reduce((a, b) => (b.perSecond > a.perSecond ? b : a));
    say(
      `${contender.title}: at ${latencyMs} ms ` +
        `${tried.map(({ concurrency, perSecond }) => `${concurrency} → ${Math.round(perSecond)}/s`).join(', ')}`,
    );
    found.set(key, best.concurrency);
    return best.concurrency;
  };
}
