import { mean } from '../figures/statistics.ts';
import { runContender } from '../stage/run-contender.ts';
import type { Stage } from '../stage/stage.ts';
import { inRounds } from './in-rounds.ts';
import type { MeasureContext } from './measure.ts';

/** What is tried, for each latency of the server: about the rate that is possible, times the latency. */
const CANDIDATES: Readonly<Record<number, readonly number[]>> = {
  0: [10, 25, 50, 100],
  5: [50, 100, 200],
  20: [100, 200, 400],
  100: [200, 400, 800],
};

/** One try alone may have met the machine in a bad moment. */
const PASSES = 2;

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
    const rates = await inRounds(PASSES, (CANDIDATES[latencyMs] ?? [50]).map(String), async (concurrency) => {
      const run = await runContender(contender, stage, {
        concurrency: Number(concurrency),
        latencyMs,
        warmUpReports: Math.ceil(reports / 2),
        measuredReports: reports,
      });
      return run.perSecond;
    });
    const tried = [...rates].map(([concurrency, passes]) => ({
      concurrency: Number(concurrency),
      perSecond: mean(passes),
    }));
    const best = tried.reduce((a, b) => (b.perSecond > a.perSecond ? b : a));
    say(
      `${contender.title}: at ${latencyMs} ms ` +
        `${tried.map(({ concurrency, perSecond }) => `${concurrency} → ${Math.round(perSecond)}/s`).join(', ')}`,
    );
    found.set(key, best.concurrency);
    return best.concurrency;
  };
}
