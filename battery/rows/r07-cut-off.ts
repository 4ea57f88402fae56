import { setTimeout as sleep } from 'node:timers/promises';
import { finding, seconds } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import type { Slot } from '../stage/fleet.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const MOST_REDELIVERY_MS = 25_000;
const WITHIN_MS = 60_000;
const AFTER_MS = 3_000;

/** R7: a worker that Redis does not hear for longer than its locks last, while its requests succeed. */
export const cutOff: Row = defineRow({
  id: 'R7',
  fault: 'worker cut off from Redis while its PUT succeeds',
  sizes: { full: { rounds: 6, reports: 40 }, short: { rounds: 1, reports: 20 } },
  async run(context, { rounds, reports: count }) {
    await using stage = await openStage(context, { workers: 2 });
    const [first, second] = stage.fleet.slots;
    if (first === undefined || second === undefined) throw new Error('two workers are needed');
    let longestMs = 0;
    let already = 0;
    // The two take turns: whoever works is cut off, and the other takes over.
    for (let round = 0; round < rounds; round += 1) {
      const [victim, rescuer] = round % 2 === 0 ? [first, second] : [second, first];
      const result = await runRound(stage, victim, rescuer, makeReports(`round-${round}`, count));
      longestMs = Math.max(longestMs, result.tookMs);
      already += result.already;
    }
    await stage.settle(WITHIN_MS);
    const evidence = await stage.evidence();
    return [
      ...commonFindings(evidence),
      finding(
        'the other copy',
        already === rounds * count && longestMs <= MOST_REDELIVERY_MS,
        `${already} of ${rounds * count} ended already_applied by the other worker, the last after ${seconds(longestMs)}`,
        `all, at most ${seconds(MOST_REDELIVERY_MS)}`,
      ),
    ];
  },
});

async function runRound(
  stage: Stage,
  victim: Slot,
  rescuer: Slot,
  reports: ReturnType<typeof makeReports>,
): Promise<{ readonly already: number; readonly tookMs: number }> {
  stage.putSyncJobsOf(reports);
  const asked = new Set<string>();
  let heal = (): void => undefined;
  let cutAtMs = 0;
  const unwatch = victim.elasticsearch.watch(({ from, exchange }) => {
    const set = exchange === undefined ? undefined : askedOf(exchange.method, exchange.path);
    if (from !== 'client' || set?.kind !== 'set') return 'pass';
    if (asked.size === 0) {
      cutAtMs = Date.now();
      heal = victim.redis.strike({ kind: 'blackhole' });
    }
    asked.add(set.syncJobId);
    return 'pass';
  });
  if (victim.worker === undefined || victim.worker.exit !== undefined) await victim.start();
  await stage.producer.report(reports);
  await sleep(AFTER_MS);
  await rescuer.start();
  const startedWith = stage.fleet.lines.length;
  const ids = new Set(reports.map(({ syncJobId }) => syncJobId));
  const settled = (): number => {
    const lines = stage.fleet.lines.slice(startedWith).filter(({ slot }) => slot === rescuer.index);
    return lines.filter(
      ({ msg, fields }) =>
        /applied|dead letter/.test(msg) && ids.has(String(fields['connector_sync_job_id'])),
    ).length;
  };
  const deadline = Date.now() + WITHIN_MS;
  while (settled() < ids.size && Date.now() < deadline) await sleep(50);
  const tookMs = Date.now() - cutAtMs;
  const already = stage.fleet.lines.filter(
    ({ slot, msg, fields }) =>
      slot === rescuer.index &&
      msg === 'report had been applied before' &&
      asked.has(String(fields['connector_sync_job_id'])),
  ).length;
  // What the victim had to say comes late now, and must do no harm.
  heal();
  unwatch();
  await sleep(AFTER_MS);
  victim.worker?.signal('SIGTERM');
  await victim.worker?.exited;
  return { already: already + (ids.size - asked.size), tookMs };
}
