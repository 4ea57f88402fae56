import { setTimeout as sleep } from 'node:timers/promises';
import { finding, seconds } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { openStage } from '../stage/stage.ts';
import { timeToApply } from '../stage/time-to-apply.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const MOST_PAUSE_MS = 10_000;
const SETTLE_MS = 90_000;

/** R5: Redis ends and comes back, with its append-only file, under load. */
export const redisRestart: Row = defineRow({
  id: 'R5',
  fault: 'Redis restart (AOF), SIGTERM and SIGKILL',
  sizes: {
    full: { workers: 2, restarts: 10, perSecond: 300, awayMs: 1_000 },
    short: { workers: 2, restarts: 2, perSecond: 150, awayMs: 500 },
  },
  async run(context, { workers, restarts, perSecond, awayMs }) {
    await using stage = await openStage(context, { workers });
    stage.standIn.faults.add({ kind: 'latency', latency: { distribution: 'uniform', minMs: 5, maxMs: 100 } });
    await stage.fleet.start();
    let longestMs = 0;
    for (let n = 0; n < restarts; n += 1) {
      const reports = makeReports(`restart-${n}`, perSecond * 4);
      stage.putSyncJobsOf(reports);
      const inflow = stage.producer.inflow(reports, perSecond);
      await sleep(1_500);
      await stage.redis.end(n % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      await sleep(awayMs);
      await stage.redis.start();
      // One of its own: all that came before may have been applied by now.
      const appliedMs = await timeToApply(stage, makeReports(`after-${n}`, 1));
      longestMs = Math.max(longestMs, appliedMs ?? Number.POSITIVE_INFINITY);
      await inflow;
    }
    await stage.settle(SETTLE_MS);
    const ended = stage.fleet.workers.filter(({ exit }) => exit !== undefined).length;
    return [
      ...commonFindings(await stage.evidence()),
      finding(
        'workers go on',
        longestMs <= MOST_PAUSE_MS && ended === 0,
        `${restarts} restarts, a report handed in then applied ${seconds(longestMs)} after Redis was back at the latest, ${ended} workers ended`,
        `at most ${seconds(MOST_PAUSE_MS)}, 0`,
      ),
    ];
  },
});
