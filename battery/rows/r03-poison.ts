import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { type Finding, finding } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import { openStage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, named, type Row, type RowContext } from './row.ts';

interface Sizes {
  readonly reports: number;
  readonly workers: number;
  readonly inflowMs: number;
  readonly env: Readonly<Record<string, string>>;
}

const MOST_CRASHES = 5;
const NEIGHBOURS = 40;
const KILLER = 'r-killer';
/** Eight million bytes, and hundreds of mebibytes when they are parsed. */
const DEPTH = 4_000_000;
const SMALL_HEAP_MIB = 200;
const SETTLE_MS = 240_000;

/** R3: a report that kills every process that takes it up, and a payload that would kill every process that parses it. */
export const poison: Row = defineRow<Sizes>({
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
  async run(context, sizes) {
    return [...(await whileSent(context, sizes)), ...named('payload', await whileParsed(context, sizes))];
  },
});

/** It kills its worker when it is sent to Elasticsearch. */
async function whileSent(
  context: RowContext,
  { reports: count, workers, inflowMs, env }: Sizes,
): Promise<Finding[]> {
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
}

/** It would fill a worker's memory before anything of it could be read; the workers have little of it. */
async function whileParsed(context: RowContext, { workers, env }: Sizes): Promise<Finding[]> {
  await using stage = await openStage(context, {
    workers,
    env: { ...env, NODE_OPTIONS: `--max-old-space-size=${SMALL_HEAP_MIB}` },
  });
  const good = makeReports('good', 10 * NEIGHBOURS);
  stage.putSyncJobsOf(good);
  const prefix = stage.env['KEY_PREFIX'] ?? '';
  const queue = new Queue('reports', { connection: stage.redis.client, prefix });
  await queue.add('report', {}, { jobId: KILLER });
  await stage.redis.client.hset(queue.toKey(KILLER), 'data', '['.repeat(DEPTH) + ']'.repeat(DEPTH));
  await queue.close();
  await stage.producer.report(good);
  for (const slot of stage.fleet.slots) slot.launch();
  const stopSupervising = stage.fleet.supervise();
  const hasSettled = await stage.settle(SETTLE_MS);
  await stopSupervising();

  const crashes = stage.fleet.workers.filter(({ exit }) => exit !== undefined).length;
  const applied = good.filter(({ syncJobId }) => stage.standIn.syncJob(syncJobId)?.status === 'error').length;
  const counts = await stage.producer.relay.deadLetters.counts();
  return [
    finding(
      'buried',
      hasSettled && crashes === 0 && counts.invalid_report === 1,
      `${counts.invalid_report ?? 0} dead letters after ${crashes} crashes`,
      '1, after 0',
    ),
    finding('neighbours', applied === good.length, `${applied} of ${good.length} neighbours applied`, 'all'),
  ];
}
