import { setTimeout as sleep } from 'node:timers/promises';
import { finding } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import { openStage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const MOST_CRASHES = 5;
const NEIGHBOURS = 40;
const SETTLE_MS = 240_000;

/** R3: a report that kills every process that takes it up. */
export const poison: Row = defineRow({
  id: 'R3',
  fault: 'one report that kills its worker, in a bundle and among good ones',
  sizes: {
    full: { reports: 10_000, workers: 3, inflowMs: 60_000, env: {} },
    short: {
      reports: 1_000,
      workers: 3,
      inflowMs: 10_000,
      env: { LOCK_DURATION_MS: '2000', STALLED_INTERVAL_MS: '1000' },
    },
  },
  async run(context, { reports: count, workers, inflowMs, env }) {
    await using stage = await openStage(context, { workers, env });
    // Neighbours are under way whenever the poison strikes.
    stage.standIn.faults.add({
      kind: 'latency',
      latency: { distribution: 'uniform', minMs: 50, maxMs: 300 },
    });
    const good = makeReports('good', count);
    const bad = makeReports('poison', 1, { dead: 'poison' });
    // It comes in the middle of one call, and so in a bundle with its neighbours.
    const before = makeReports('before', NEIGHBOURS);
    const after = makeReports('after', NEIGHBOURS);
    stage.putSyncJobsOf([...good, ...before, ...bad, ...after]);
    let crashes = 0;
    for (const slot of stage.fleet.slots) {
      slot.elasticsearch.watch(({ from, exchange }) => {
        const asked = exchange === undefined ? undefined : askedOf(exchange.method, exchange.path);
        if (from !== 'client' || asked?.syncJobId !== bad[0]?.syncJobId) return 'pass';
        crashes += 1;
        slot.worker?.signal('SIGKILL');
        return 'stop';
      });
    }
    await stage.fleet.start();
    const stopSupervising = stage.fleet.supervise();
    const inflow = stage.producer.inflow(good, (count / inflowMs) * 1_000);
    await sleep(inflowMs / 5);
    await stage.producer.report([...before, ...bad, ...after]);
    await inflow;
    await stage.settle(SETTLE_MS);
    await stopSupervising();

    const evidence = await stage.evidence();
    const isBuried = evidence.letters.some(({ code }) => code === 'poison');
    const neighbours = evidence.letters.filter(
      ({ report }) => report?.connector_sync_job_id !== bad[0]?.syncJobId,
    ).length;
    return [
      ...commonFindings(evidence),
      finding(
        'poison',
        isBuried && crashes <= MOST_CRASHES && neighbours === 0,
        `${isBuried ? 'dead-lettered as poison' : 'not dead-lettered'} after ${crashes} crashes, ${neighbours} healthy neighbours dead-lettered`,
        `after at most ${MOST_CRASHES}, 0`,
      ),
    ];
  },
});
