import { setTimeout as sleep } from 'node:timers/promises';
import { finding, round } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const LEAST_SHARE = 0.6;
const MOST_FLAPS_A_MINUTE = 3;
/** Workers of one fleet that open within this time open together. */
const TOGETHER_MS = 2_500;
const SETTLE_MS = 240_000;

/** R9: Elasticsearch half alive. */
export const brownOut: Row = defineRow({
  id: 'R9',
  fault: 'brown-out: 30 % 503, 20 % 5 s late',
  sizes: {
    full: { workers: 3, perSecond: 200, forMs: 60_000 },
    short: { workers: 2, perSecond: 100, forMs: 15_000 },
  },
  async run(context, { workers, perSecond, forMs }) {
    await using stage = await openStage(context, { workers });
    const reports = makeReports('brown', (perSecond * forMs) / 1_000);
    stage.putSyncJobsOf(reports);
    await stage.fleet.start();
    stage.standIn.faults.add({ kind: 'status', status: 503, probability: 0.3, forMs });
    stage.standIn.faults.add({
      kind: 'latency',
      latency: { distribution: 'fixed', ms: 5_000 },
      probability: 0.2,
      forMs,
    });
    const fromMs = Date.now();
    const inflow = stage.producer.inflow(reports, perSecond);
    await sleep(forMs);
    const toMs = Date.now();
    await inflow;
    await stage.settle(SETTLE_MS);

    const applied = appliedBetween(stage, fromMs, toMs);
    // Without faults everything that comes in is applied at once: the inflow is the fault-free goodput.
    const share = applied / reports.length;
    const flaps = openings(stage);
    // One opening is no flapping, however short the run.
    const allowed = Math.max(1, (MOST_FLAPS_A_MINUTE * (toMs - fromMs)) / 60_000);
    return [
      ...commonFindings(await stage.evidence()),
      finding(
        'goodput',
        share >= LEAST_SHARE,
        `${round((applied / forMs) * 1_000)} a second of ${perSecond} without faults, ${Math.round(share * 100)} %`,
        `at least ${LEAST_SHARE * 100} %`,
      ),
      finding(
        'circuit flaps',
        flaps <= allowed,
        `${flaps} openings in ${Math.round((toMs - fromMs) / 1_000)} s`,
        `at most ${MOST_FLAPS_A_MINUTE} a minute, here ${round(allowed)}`,
      ),
    ];
  },
});

function appliedBetween({ standIn }: Stage, fromMs: number, toMs: number): number {
  let count = 0;
  for (const { timeMs, durationMs } of standIn.ledger.entries({ method: 'PUT', status: 200 })) {
    if (timeMs >= fromMs && timeMs + durationMs < toMs) count += 1;
  }
  return count;
}

/** Openings of the fleet's circuit. */
function openings({ fleet }: Stage): number {
  const times = fleet.lines
    .filter(({ msg }) => /^circuit open/.test(msg))
    .map(({ atMs }) => atMs)
    .sort((a, b) => a - b);
  return times.filter((atMs, index) => atMs - (times[index - 1] ?? 0) > TOGETHER_MS).length;
}
