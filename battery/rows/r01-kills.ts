import { setTimeout as sleep } from 'node:timers/promises';
import { type Finding, finding, round, seconds } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import { below, shuffled } from '../seeded.ts';
import type { Stage } from '../stage/stage.ts';
import { openStage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const MOST_REDELIVERY_MS = 25_000;
const SETTLE_MS = 120_000;

/** A kill, and the sync jobs whose requests were under way. */
interface Kill {
  readonly atMs: number;
  readonly orphans: readonly string[];
}

/** R1: workers killed at random. */
export const kills: Row = defineRow({
  id: 'R1',
  fault: 'worker kill -9 at random',
  sizes: {
    full: { reports: 20_000, workers: 3, kills: 30, everyMs: 2_000 },
    short: { reports: 3_000, workers: 3, kills: 5, everyMs: 1_500 },
  },
  async run(context, sizes) {
    await using stage = await openStage(context, { workers: sizes.workers });
    const random = stage.random('kills');
    // Slow enough that every kill hits requests under way.
    stage.standIn.faults.add({
      kind: 'latency',
      latency: { distribution: 'log-normal', medianMs: 60, sigma: 0.8, maxMs: 2_000 },
    });
    const dead = Math.ceil(sizes.reports / 50);
    const running = makeReports('running', sizes.reports - dead);
    stage.putSyncJobsOf(running);
    const reports = shuffled(
      [...running, ...makeReports('gone', dead, { dead: 'sync_job_not_found' })],
      random,
    );
    await stage.fleet.start();

    const durationMs = sizes.kills * sizes.everyMs;
    const inflow = stage.producer.inflow(reports, (reports.length / durationMs) * 1_000);
    const done: Kill[] = [];
    for (let n = 0; n < sizes.kills; n += 1) {
      await sleep(sizes.everyMs * (0.5 + random()));
      const slot = stage.fleet.slots[below(random, sizes.workers)];
      if (slot === undefined) continue;
      done.push({ atMs: Date.now(), orphans: underWay(slot.elasticsearch.open()) });
      await stage.fleet.killAndRestart(slot);
    }
    await inflow;
    context.say(`${done.length} kills done, settling`);
    await stage.settle(SETTLE_MS);
    const evidence = await stage.evidence();
    return [...commonFindings(evidence), redelivery(done, stage)];
  },
});

function underWay(open: readonly { readonly method: string; readonly path: string }[]): string[] {
  return open.flatMap(({ method, path }) => askedOf(method, path)?.syncJobId ?? []);
}

/** From each kill to the ending of what it orphaned; one that is killed again counts from the last kill. */
function redelivery(kills: readonly Kill[], stage: Stage): Finding {
  const orphanedAt = new Map<string, number>();
  for (const { atMs, orphans } of kills) for (const id of orphans) orphanedAt.set(id, atMs);
  const waits: number[] = [];
  const endedAt = new Map<string, number>();
  for (const { fields, atMs, msg } of stage.fleet.lines) {
    const id = fields['connector_sync_job_id'];
    if (typeof id === 'string' && /applied|dead letter/.test(msg)) endedAt.set(id, atMs);
  }
  let missing = 0;
  for (const [id, atMs] of orphanedAt) {
    const end = endedAt.get(id);
    if (end === undefined) missing += 1;
    else waits.push(Math.max(0, end - atMs));
  }
  const longest = Math.max(0, ...waits);
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length);
  return finding(
    'I7 redelivery',
    longest <= MOST_REDELIVERY_MS && waits.length > 0 && missing === 0,
    `${orphanedAt.size} orphans of ${kills.length} kills, the longest back after ${seconds(longest)}, ${round(mean / 1_000)} s on average`,
    `at most ${seconds(MOST_REDELIVERY_MS)}`,
  );
}
