import { setTimeout as sleep } from 'node:timers/promises';
import { reportJobId } from '../../src/domain/job.ts';
import { account } from '../judge/account.ts';
import { type Finding, finding, seconds } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import type { OracleReport } from '../stage/producer.ts';
import { startCli } from '../stage/run-cli.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { KILL_POINTS, type KillPoint, killAt } from './kill-points.ts';
import { inPurge, inRedrive } from './kills-at-letters.ts';
import { inABundle } from './kills-in-a-bundle.ts';
import { makeReports } from './reports.ts';
import { defineRow, named, type Row, type RowContext } from './row.ts';

interface Sizes {
  readonly times: number;
  readonly batch: number;
  readonly env: Readonly<Record<string, string>>;
}

const MOST_REDELIVERY_MS = 25_000;
const WITHIN_MS = 60_000;

/** Locks that expire soon: the points are the same, and there are many of them. */
const SOON = { LOCK_DURATION_MS: '1500', STALLED_INTERVAL_MS: '500' };

/** R2: a worker killed at each point of a report's life, a producer in mid-batch, and people's commands at work. */
export const namedKills: Row = defineRow<Sizes>({
  id: 'R2',
  fault: 'kill -9 at named points',
  sizes: {
    full: { times: 5, batch: 5_000, env: SOON },
    short: { times: 1, batch: 2_000, env: SOON },
  },
  async run(context, sizes) {
    // A redrive that was killed holds its run for ten seconds; the rest need not wait for that.
    const beside = inRedrive(context, sizes);
    const others = (async () => [
      ...(await inAReportsLife(context, sizes)),
      ...(await inShutdown(context, sizes)),
      ...(await inABundle(context, sizes)),
      ...(await inABatch(context, sizes)),
      ...(await inPurge(context, sizes)),
    ])();
    return (await Promise.all([others, beside])).flat();
  },
});

/** One worker after the other dies at a point; the next one rescues the report, and is the next to die. */
async function inAReportsLife(context: RowContext, { times, env }: Sizes): Promise<Finding[]> {
  await using stage = await openStage(context, { workers: 1, env: { ...env, MAX_CRASHES: '5' } });
  const [slot] = stage.fleet.slots;
  if (slot === undefined) throw new Error('a fleet of none');
  await slot.start();
  const findings: Finding[] = [];
  for (const point of KILL_POINTS) {
    context.say(point.name);
    let longestMs = 0;
    let ended = 0;
    for (let n = 0; n < times; n += 1) {
      const tookMs = await killOnce(stage, point, n);
      if (tookMs !== undefined) ended += 1;
      longestMs = Math.max(longestMs, tookMs ?? 0);
    }
    findings.push(
      finding(
        point.name,
        ended === times && longestMs <= MOST_REDELIVERY_MS,
        `${ended} of ${times} ended once, the last ${seconds(longestMs)} after its kill`,
        `all, at most ${seconds(MOST_REDELIVERY_MS)}`,
      ),
    );
  }
  await stage.settle(WITHIN_MS);
  return [...commonFindings(await stage.evidence()), ...findings];
}

/** Resolves with the time from the kill to the report's ending; undefined where it had none. */
async function killOnce(stage: Stage, point: KillPoint, n: number): Promise<number | undefined> {
  const [slot] = stage.fleet.slots;
  const name = `${point.name.replaceAll(/\W+/g, '-')}-${n}`;
  const [report] = makeReports(name, 1, point.isGone ? { dead: 'sync_job_not_found' } : 'applied');
  if (slot === undefined || report === undefined) return undefined;
  if (!point.isGone) stage.putSyncJobsOf([report]);
  const reportsBefore = stage.producer.acknowledged.size;
  // Its id has to be known before it is on its way.
  const jobId = reportJobId({ connector_sync_job_id: report.syncJobId, error: report.error });
  const killed = killAt(slot, point, { ...report, jobId, atMs: Date.now(), queued: 1, duplicate: 0 });
  await stage.producer.report([report]);
  const happened = await Promise.race([killed.then(() => true), sleep(WITHIN_MS, false)]);
  if (!happened) throw new Error(`${point.name}: its mark never passed`);
  const killedAtMs = Date.now();
  await slot.worker?.exited;
  await slot.start();
  if (!(await stage.settle(WITHIN_MS))) return undefined;
  const tookMs = Date.now() - killedAtMs;
  const last = account(await stage.evidence()).slice(reportsBefore);
  const isOnce = last.every(({ isApplied, letter, isInQueue }) =>
    point.isGone ? letter !== undefined && !isInQueue : isApplied && letter === undefined && !isInQueue,
  );
  return isOnce ? tookMs : undefined;
}

/** Killed while it waits for what hangs, after SIGTERM. */
async function inShutdown(context: RowContext, { times, env }: Sizes): Promise<Finding[]> {
  await using stage = await openStage(context, { workers: 1, env });
  const [slot] = stage.fleet.slots;
  if (slot === undefined) throw new Error('a fleet of none');
  context.say('in shutdown');
  for (let n = 0; n < times; n += 1) {
    await slot.start();
    const heal = slot.elasticsearch.strike({ kind: 'swallow' });
    const reports = makeReports(`shutdown-${n}`, 10);
    stage.putSyncJobsOf(reports);
    await stage.producer.report(reports);
    while (slot.elasticsearch.open().length === 0) await sleep(10);
    slot.worker?.signal('SIGTERM');
    await sleep(200);
    slot.worker?.signal('SIGKILL');
    await slot.worker?.exited;
    heal();
  }
  await slot.start();
  await stage.settle(WITHIN_MS);
  return named('in shutdown', commonFindings(await stage.evidence()));
}

/** A producer killed in mid-batch; the batch is then handed in again, whole. */
async function inABatch(context: RowContext, { times, batch, env }: Sizes): Promise<Finding[]> {
  await using stage = await openStage(context, { workers: 1, env });
  await stage.fleet.start();
  const random = stage.random('batch');
  context.say('in mid-batch enqueue');
  let cutShort = 0;
  for (let n = 0; n < times; n += 1) {
    const reports = makeReports(`batch-${n}`, batch);
    stage.putSyncJobsOf(reports);
    if (await reportAndDie(stage, reports, 1 + Math.floor(random() * (batch / 250 - 2)))) cutShort += 1;
    await stage.producer.report(reports);
  }
  await stage.settle(WITHIN_MS);
  const evidence = await stage.evidence();
  return [
    ...named('in mid-batch', commonFindings(evidence)),
    finding(
      'in mid-batch: killed',
      cutShort === times,
      `${cutShort} of ${times} batches of ${batch} cut short, then repeated whole`,
      'all',
    ),
  ];
}

/** Kills the command line once about so many of its transactions have passed. */
async function reportAndDie(
  { producer, env }: Stage,
  reports: readonly OracleReport[],
  transactions: number,
): Promise<boolean> {
  const lines = reports.map(
    ({ syncJobId, error }) => `${JSON.stringify({ connector_sync_job_id: syncJobId, error })}\n`,
  );
  const run = startCli(producer, env, ['report', '--file', '-', '--json'], lines.join(''));
  let seen = 0;
  const unwatch = producer.proxy.watch(({ from, text }) => {
    if (from !== 'client' || !/\bexec\r\n/i.test(text)) return 'pass';
    seen += 1;
    if (seen === transactions) run.kill();
    return 'pass';
  });
  const { signal } = await run.ended;
  unwatch();
  return signal === 'SIGKILL';
}
