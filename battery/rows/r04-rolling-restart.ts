import { setTimeout as sleep } from 'node:timers/promises';
import { type Finding, finding, seconds } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import type { Slot } from '../stage/fleet.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

/** The relay's default grace time, and what its process may need around it. */
const GRACE_MS = 15_000 + 2_500;
const AT_ONCE_MS = 1_000;
const SETTLE_MS = 60_000;

/** R4: rolling restarts by SIGTERM under load, and a second signal. */
export const rollingRestart: Row = defineRow({
  id: 'R4',
  fault: 'rolling restart by SIGTERM under load',
  sizes: {
    full: { workers: 3, restarts: 10, perSecond: 500, everyMs: 3_000 },
    short: { workers: 2, restarts: 4, perSecond: 200, everyMs: 1_500 },
  },
  async run(context, { workers, restarts, perSecond, everyMs }) {
    await using stage = await openStage(context, { workers });
    stage.standIn.faults.add({
      kind: 'latency',
      latency: { distribution: 'uniform', minMs: 20, maxMs: 200 },
    });
    const reports = makeReports('rolling', (perSecond * restarts * everyMs) / 1_000);
    stage.putSyncJobsOf(reports);
    await stage.fleet.start();
    const inflow = stage.producer.inflow(reports, perSecond);
    const codes: (number | null)[] = [];
    let longestMs = 0;
    for (let n = 0; n < restarts; n += 1) {
      const slot = stage.fleet.slots[n % workers];
      if (slot === undefined) continue;
      const [exit] = await Promise.all([stop(slot), sleep(everyMs)]);
      codes.push(exit.code);
      longestMs = Math.max(longestMs, exit.tookMs);
      await slot.start();
    }
    await inflow;
    await stage.settle(SETTLE_MS);
    const redelivered = stalls(stage);
    const secondSignal = await endTwice(stage);
    await stage.fleet.slots[0]?.start();
    await stage.settle(SETTLE_MS);

    const clean = codes.filter((code) => code === 0).length;
    return [
      ...commonFindings(await stage.evidence()),
      finding(
        'clean stops',
        clean === restarts && longestMs <= GRACE_MS && redelivered === 0,
        `${clean} of ${restarts} exits with 0, the slowest after ${seconds(longestMs)}, ${redelivered} redeliveries by stall`,
        `all, at most ${seconds(GRACE_MS)}, 0`,
      ),
      secondSignal,
    ];
  },
});

async function stop({ worker }: Slot): Promise<{ readonly code: number | null; readonly tookMs: number }> {
  if (worker === undefined) throw new Error('nothing runs here');
  const startedAtMs = Date.now();
  worker.signal('SIGTERM');
  const { code, atMs } = await worker.exited;
  return { code, tookMs: atMs - startedAtMs };
}

const stalls = ({ fleet }: Stage): number =>
  fleet.lines.filter(({ msg }) => msg.includes('redelivered')).length;

/** While a stopping worker waits for an answer that never comes, a second signal ends it at once. */
async function endTwice(stage: Stage): Promise<Finding> {
  const [slot] = stage.fleet.slots;
  if (slot?.worker === undefined) throw new Error('nothing runs here');
  await stage.fleet.stop();
  await slot.start();
  const heal = slot.elasticsearch.strike({ kind: 'swallow' });
  const reports = makeReports('hanging', 5);
  stage.putSyncJobsOf(reports);
  await stage.producer.report(reports);
  while (slot.elasticsearch.open().length === 0) await sleep(10);
  const { worker } = slot;
  worker.signal('SIGTERM');
  await sleep(500);
  const stillRuns = worker.exit === undefined;
  const startedAtMs = Date.now();
  worker.signal('SIGTERM');
  const { code, atMs } = await worker.exited;
  heal();
  const tookMs = atMs - startedAtMs;
  return finding(
    'second signal',
    stillRuns && tookMs <= AT_ONCE_MS && code !== 0,
    `${stillRuns ? 'waited at the first' : 'ended at the first'}, ended ${seconds(tookMs)} after the second with ${code}`,
    `at most ${seconds(AT_ONCE_MS)}, not 0`,
  );
}
