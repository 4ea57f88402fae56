import { setTimeout as sleep } from 'node:timers/promises';
import { openRelay, readConfig } from '../../src/index.ts';
import { type Finding, finding } from '../judge/finding.ts';
import { honestHealth } from '../judge/health.ts';
import { commonFindings } from '../judge/invariants.ts';
import { boundedLoad, liveness, noAttemptBurned } from '../judge/outage.ts';
import type { OracleReport } from '../stage/producer.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { timeToApply } from '../stage/time-to-apply.ts';
import { type HealthLook, watchHealth } from '../stage/watch-health.ts';
import { makeReports } from './reports.ts';
import { defineRow, named, type Row, type RowContext, runAbreast } from './row.ts';

interface Sizes {
  readonly ways: readonly WayName[];
  readonly workers: number;
  readonly perSecond: number;
  readonly outageMs: number;
  readonly timeoutMs: number;
  /** Reports of which the fault-free rate is taken: about as many as pile up. */
  readonly probeReports: number;
  /** Ways that are tried at the same time, each with a fleet of its own. */
  readonly abreast: number;
}

/** Makes Elasticsearch unreachable, or useless, for a while. */
type Away = (stage: Stage, forMs: number) => void;

const onEachWay =
  (kind: 'refuse' | 'blackhole' | 'reset'): Away =>
  ({ fleet }, forMs) => {
    for (const { elasticsearch } of fleet.slots) elasticsearch.strike({ kind }, { forMs });
  };

const WAYS = {
  refused: onEachWay('refuse'),
  blackhole: onEachWay('blackhole'),
  reset: onEachWay('reset'),
  '503': ({ standIn }, forMs) => void standIn.faults.add({ kind: 'status', status: 503, forMs }),
  '401': ({ standIn }, forMs) => void standIn.faults.add({ kind: 'auth-loss', forMs }),
  'HTML 404': ({ standIn }, forMs) =>
    void standIn.faults.add({ kind: 'status', status: 404, body: 'proxy-not-found', forMs }),
} satisfies Record<string, Away>;

type WayName = keyof typeof WAYS;

const ALL_WAYS: readonly WayName[] = ['refused', 'blackhole', 'reset', '503', '401', 'HTML 404'];
const BEFORE_MS = 3_000;
/** How long the circuit may take to open where failures come at once. */
const OPENING_MS = 3_000;
const SETTLE_MS = 120_000;

/** R8: Elasticsearch away, in each way that it can be. */
export const elasticsearchAway: Row = defineRow<Sizes>({
  id: 'R8',
  fault: 'Elasticsearch away in each way, under inflow',
  sizes: {
    full: {
      ways: ALL_WAYS,
      workers: 3,
      perSecond: 200,
      outageMs: 60_000,
      timeoutMs: 10_000,
      probeReports: 12_000,
      abreast: 1,
    },
    short: {
      ways: ALL_WAYS,
      workers: 2,
      perSecond: 100,
      outageMs: 9_000,
      timeoutMs: 1_000,
      probeReports: 1_000,
      abreast: 2,
    },
  },
  async run(context, sizes) {
    return runAbreast(sizes.ways, sizes.abreast, async (way) => {
      context.say(way);
      return named(way, await runWay(context, sizes, way));
    });
  },
});

async function runWay(context: RowContext, sizes: Sizes, way: WayName): Promise<readonly Finding[]> {
  await using stage = await openStage(context, {
    workers: sizes.workers,
    env: { ELASTICSEARCH_TIMEOUT_MS: String(sizes.timeoutMs) },
  });
  const { fleet, producer } = stage;
  await fleet.start();
  const faultFreeRate = await measureRate(stage, sizes.probeReports);
  const watched = fleet.slots[0];
  if (watched === undefined) throw new Error('a fleet of none');
  const health = await watchHealth(watched);

  const count = (sizes.perSecond * (BEFORE_MS + sizes.outageMs)) / 1_000;
  const reports = makeReports('inflow', count);
  stage.putSyncJobsOf(reports);
  const inflow = producer.inflow(reports, sizes.perSecond);
  await sleep(BEFORE_MS);
  const fromMs = Date.now();
  WAYS[way](stage, sizes.outageMs);
  await sleep(fromMs + sizes.outageMs - Date.now());
  const toMs = Date.now();
  const backlog = [...producer.acknowledged.values()].filter(
    ({ syncJobId }) => stage.standIn.syncJob(syncJobId)?.status !== 'error',
  ).length;
  const [freshMs, inOrderMs] = await Promise.all([
    timeToApply(stage, makeReports('fresh', 1), (reports) => reportFirst(stage, reports)),
    timeToApply(stage, makeReports('in-order', 1)),
    inflow,
  ]);
  await stage.settle(SETTLE_MS);
  const drainMs = lastApplied(stage) - toMs;
  await sleep(500);
  await health.stop();

  const evidence = await stage.evidence();
  // A request into a black hole takes its whole timeout to fail.
  const openingMs = OPENING_MS + (way === 'blackhole' ? sizes.timeoutMs : 0);
  const open = { fromMs: fromMs + openingMs, toMs };
  return [
    ...commonFindings(evidence),
    noAttemptBurned(evidence, open),
    boundedLoad(evidence, open, watched.index),
    liveness({
      freshMs,
      inOrderMs,
      firstMs: firstAppliedAfter(stage, toMs),
      backlog,
      drainMs,
      faultFreeRate,
    }),
    honestHealth(health.looks, { fromMs, toMs }),
    secretAnswers(health.looks, stage.secrets),
  ];
}

/** I10 for what workers answer over HTTP: a reason must not name what it failed with. */
function secretAnswers(looks: readonly HealthLook[], secrets: readonly string[]): Finding {
  const found = looks.filter(({ body }) => secrets.some((secret) => body.includes(secret))).length;
  return finding(
    'I10 in HTTP answers',
    found === 0,
    `${found} of ${looks.length} with a planted secret`,
    '0',
  );
}

/** Reports a second that this fleet settles when nothing is wrong. */
export async function measureRate(stage: Stage, count: number): Promise<number> {
  const reports = makeReports('rate', count);
  stage.putSyncJobsOf(reports);
  const startedAtMs = Date.now();
  await stage.producer.report(reports);
  await stage.settle(SETTLE_MS);
  return (count / Math.max(1, lastApplied(stage) - startedAtMs)) * 1_000;
}

/** Hands reports in as a producer does that puts fresh ones before the backlog. */
async function reportFirst({ redis, env, producer }: Stage, reports: readonly OracleReport[]): Promise<void> {
  const url = `redis://:${redis.password}@127.0.0.1:${redis.port}`;
  await using relay = openRelay(readConfig({ ...env, REDIS_URL: url, ORDER: 'fresh-first' }));
  for (const report of reports) {
    const { syncJobId, error } = report;
    producer.note(report, await relay.report({ connector_sync_job_id: syncJobId, error }));
  }
}

/** From a moment to the first application after it. */
function firstAppliedAfter({ standIn }: Stage, atMs: number): number | undefined {
  for (const { timeMs } of standIn.ledger.entries({ method: 'PUT', status: 200 })) {
    if (timeMs >= atMs) return timeMs - atMs;
  }
  return undefined;
}

/** When the ledger last saw a report applied. */
function lastApplied({ standIn }: Stage): number {
  let last = 0;
  for (const { timeMs } of standIn.ledger.entries({ method: 'PUT', status: 200 }))
    last = Math.max(last, timeMs);
  return last;
}
