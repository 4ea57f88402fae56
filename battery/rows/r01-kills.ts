import { setTimeout as sleep } from 'node:timers/promises';
import { type Finding, finding, round, seconds } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import { below, shuffled } from '../seeded.ts';
import type { Slot } from '../stage/fleet.ts';
import { reportsInHand } from '../stage/raw-queue.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const MOST_REDELIVERY_MS = 25_000;
/** From a kill to the look that finds what it orphaned: a lock, and two looks, by the defaults. */
const FOUND_WITHIN_MS = 15_000;
const REDELIVERED = 'worker of this job died or was cut off; job redelivered';
const SETTLE_MS = 120_000;
const MOST_IDLE_MS = 2_000;

/** A kill, and the reports that its process had in hand. */
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
      await underWay(slot);
      const orphans = await inHand(stage, slot);
      done.push({ atMs: Date.now(), orphans });
      await stage.fleet.killAndRestart(slot);
    }
    await inflow;
    context.say(`${done.length} kills done, settling`);
    await stage.settle(SETTLE_MS);
    const evidence = await stage.evidence();
    return [...commonFindings(evidence), redelivery(done, stage)];
  },
});

/** Waits until the slot's worker asks something, or for so long that nothing can be left to ask. */
async function underWay({ elasticsearch }: Slot): Promise<void> {
  const untilMs = performance.now() + MOST_IDLE_MS;
  while (elasticsearch.open().length === 0 && performance.now() < untilMs) await sleep(5);
}

async function inHand({ redis, env, producer }: Stage, { elasticsearch }: Slot): Promise<string[]> {
  const asking = new Set(
    elasticsearch.open().flatMap(({ method, path }) => askedOf(method, path)?.syncJobId ?? []),
  );
  const known = [...producer.acknowledged.values()].filter(({ syncJobId }) => asking.has(syncJobId));
  return reportsInHand(redis.client, env['KEY_PREFIX'] ?? '', new Set(known.map(({ jobId }) => jobId)));
}

/**
 * From each kill to the ending of what it orphaned; one that is killed again counts from the last kill. A report that
 * was fetched and had not asked yet is seen in nobody's hand, but where it is found orphaned later than its kill
 * allows, the first kill that does allow it hit it as well. What its process settled in its last moment, and did not
 * live to log, came to an end and was not redelivered.
 */
function redelivery(kills: readonly Kill[], stage: Stage): Finding {
  const orphanedAt = new Map<string, number>();
  for (const { atMs, orphans } of kills) for (const id of orphans) orphanedAt.set(id, atMs);
  const waits: number[] = [];
  const endedAt = new Map<string, number>();
  for (const { fields, atMs, msg } of stage.fleet.lines) {
    const { id, job_id: found } = fields;
    const orphanedMs = msg === REDELIVERED ? orphanedAt.get(String(found)) : undefined;
    if (orphanedMs !== undefined && atMs - orphanedMs > FOUND_WITHIN_MS) {
      const again = kills.find((kill) => kill.atMs > orphanedMs && atMs - kill.atMs <= FOUND_WITHIN_MS);
      if (again !== undefined) orphanedAt.set(String(found), again.atMs);
    }
    if (typeof id === 'string' && /applied|dead letter/.test(msg)) endedAt.set(id, atMs);
  }
  let unlogged = 0;
  for (const [id, atMs] of orphanedAt) {
    const end = endedAt.get(id);
    if (end === undefined) unlogged += 1;
    else waits.push(Math.max(0, end - atMs));
  }
  const longest = Math.max(0, ...waits);
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length);
  return finding(
    'I7 redelivery',
    longest <= MOST_REDELIVERY_MS && waits.length > 0,
    `${waits.length} orphans of ${kills.length} kills (${unlogged} more settled in the last moment), the longest back after ${seconds(longest)}, ${round(mean / 1_000)} s on average`,
    `at most ${seconds(MOST_REDELIVERY_MS)}`,
  );
}
