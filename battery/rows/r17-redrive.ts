import { setTimeout as sleep } from 'node:timers/promises';
import type { Evidence } from '../judge/evidence.ts';
import { type Finding, finding, seconds } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { below } from '../seeded.ts';
import { type CliEnd, startCli } from '../stage/run-cli.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, named, type Row, type RowContext } from './row.ts';

interface Sizes {
  readonly letters: number;
  readonly rate: number;
  readonly kills: number;
  readonly outageMs: number;
  readonly env: Readonly<Record<string, string>>;
}

const GONE = { dead: 'sync_job_not_found' } as const;
/** Every so manieth sync job stays away, so that its report dies again. */
const ONE_IN = 10;
const MOST_ABOVE_RATE = 0.05;
const WINDOW_MS = 2_000;
const LOOK_MS = 25;
/** How long a report takes to come back, be noticed, and stop the run. */
const NOTICED_MS = 2_000;
const SETTLE_MS = 120_000;

/** R17: dead letters put back while everything dies, while their cause is still there, and while Elasticsearch is away. */
export const redrive: Row = defineRow<Sizes>({
  id: 'R17',
  fault: 'redrive with kills, and while Elasticsearch still fails',
  sizes: {
    full: { letters: 10_000, rate: 400, kills: 10, outageMs: 15_000, env: {} },
    short: {
      letters: 600,
      rate: 100,
      kills: 1,
      outageMs: 4_000,
      env: { LOCK_DURATION_MS: '2000', STALLED_INTERVAL_MS: '1000' },
    },
  },
  async run(context, sizes) {
    await using stage = await openStage(context, { workers: 2, env: sizes.env });
    const gone = makeReports('gone', sizes.letters / ONE_IN, GONE);
    const back = makeReports('back', sizes.letters - gone.length, GONE);
    await stage.fleet.start();
    await stage.producer.report([...gone, ...back]);
    await stage.settle(SETTLE_MS);
    stage.putSyncJobsOf(back);
    return [
      ...(await withKills(context, stage, sizes, gone.length)),
      ...(await withTheCauseStillThere(context, stage, sizes, gone.length)),
      ...(await withElasticsearchAway(context, stage, sizes, gone)),
    ];
  },
});

/** The process that redrives is killed again and again, and a worker each time. */
async function withKills(
  context: RowContext,
  stage: Stage,
  { letters, rate, kills }: Sizes,
  gone: number,
): Promise<Finding[]> {
  context.say(`${letters} letters, ${kills} kills`);
  const random = stage.random('kills');
  await using watch = watchRate(stage);
  let killed = 0;
  let end: CliEnd | undefined;
  const begin = ['--all', '--keep-going', '--rate', String(rate)];
  for (let args = begin; end === undefined; args = ['--resume', watch.run ?? '']) {
    const run = startCli(stage.producer, stage.env, ['dead-letters', 'redrive', ...args, '--json']);
    const apart = letters / (kills + 1);
    const killAt = Math.floor(apart * (killed + 0.75 + random() / 2));
    while (!run.hasEnded && (killed === kills || watch.redriven() < killAt)) await sleep(LOOK_MS);
    if (!run.hasEnded) {
      run.kill();
      killed += 1;
      const slot = stage.fleet.slots[below(random, stage.fleet.slots.length)];
      if (slot !== undefined) await stage.fleet.killAndRestart(slot);
    }
    const { signal, ...rest } = await run.ended;
    if (signal === null) end = { signal, ...rest };
  }
  await stage.settle(SETTLE_MS);
  const evidence = await stage.evidence();
  const again = evidence.letters.filter(({ redrives }) => redrives?.length === 1).length;
  const most = watch.mostPerSecond();
  return [
    ...named('with kills', commonFindings(withTruth(stage, evidence))),
    finding(
      'with kills: each once',
      watch.redriven() === letters && again === gone && evidence.letters.length === gone && killed === kills,
      `${watch.redriven()} letters moved, ${again} dead again once, ${evidence.letters.length} letters in all, ${killed} processes killed; exit ${end.code}`,
      `${letters}, ${gone}, ${gone}, ${kills}`,
    ),
    finding(
      'with kills: rate',
      most <= rate * (1 + MOST_ABOVE_RATE) && most > 0,
      `at most ${most.toFixed(1)} a second in any ${seconds(WINDOW_MS)}, ${rate} set`,
      `at most ${rate * (1 + MOST_ABOVE_RATE)}`,
    ),
  ];
}

/** Reports that come back as they were: the run stops itself, and nothing goes round. */
async function withTheCauseStillThere(
  context: RowContext,
  stage: Stage,
  { rate }: Sizes,
  letters: number,
): Promise<Finding[]> {
  context.say('the cause is still there');
  const sentBefore = [...stage.standIn.ledger.entries({ method: 'PUT' })].length;
  const args = ['dead-letters', 'redrive', '--all', '--rate', String(rate), '--json'];
  const { code } = await startCli(stage.producer, stage.env, args).ended;
  await stage.settle(SETTLE_MS);
  const [run] = await stage.producer.relay.deadLetters.redriveRuns();
  const redriven = run?.counts.redriven ?? 0;
  const sent = [...stage.standIn.ledger.entries({ method: 'PUT' })].length - sentBefore;
  const evidence = await stage.evidence();
  const twice = evidence.letters.filter(({ redrives }) => (redrives?.length ?? 0) > 2).length;
  return [
    ...named('cause still there', commonFindings(withTruth(stage, evidence))),
    finding(
      'cause still there: no loop',
      run?.state === 'stopped' &&
        code === 1 &&
        redriven <= (rate * NOTICED_MS) / 1_000 &&
        sent === redriven &&
        twice === 0 &&
        evidence.letters.length === letters,
      `${run?.state} after ${redriven} of ${letters} letters, ${sent} requests, ${twice} letters moved more than once, ${evidence.letters.length} letters in all; exit ${code}`,
      `stopped within ${seconds(NOTICED_MS)}, one request each, 0, ${letters}`,
    ),
  ];
}

/** What is put back while Elasticsearch is away waits, and dies of nothing. */
async function withElasticsearchAway(
  context: RowContext,
  stage: Stage,
  { rate, outageMs }: Sizes,
  gone: ReturnType<typeof makeReports>,
): Promise<Finding[]> {
  context.say('Elasticsearch is away');
  stage.putSyncJobsOf(gone);
  stage.standIn.faults.add({ kind: 'status', status: 503, forMs: outageMs });
  const args = ['dead-letters', 'redrive', '--all', '--rate', String(rate), '--json'];
  const [{ code }] = await Promise.all([startCli(stage.producer, stage.env, args).ended, sleep(outageMs)]);
  await stage.settle(SETTLE_MS);
  const evidence = await stage.evidence();
  const applied = gone.filter(({ syncJobId }) => stage.standIn.syncJob(syncJobId)?.status === 'error').length;
  return [
    ...named('Elasticsearch away', commonFindings(withTruth(stage, evidence))),
    finding(
      'Elasticsearch away: none dies',
      applied === gone.length && evidence.letters.length === 0 && code === 0,
      `${applied} of ${gone.length} applied after it, ${evidence.letters.length} letters left; exit ${code}`,
      'all, 0',
    ),
  ];
}

/** What each report has to come to is decided by which sync jobs there are now. */
function withTruth({ standIn }: Stage, evidence: Evidence): Evidence {
  const reports = evidence.reports.map((report) => ({
    ...report,
    ending: standIn.syncJob(report.syncJobId) === undefined ? GONE : ('applied' as const),
  }));
  return { ...evidence, reports };
}

interface RateWatch extends AsyncDisposable {
  /** The run, once there is one. */
  readonly run: string | undefined;
  redriven(): number;
  /** Most letters a second in any window. */
  mostPerSecond(): number;
}

/** Looks at the run's own count, which in the end has to be the oracle's. */
function watchRate({ redis: { client }, producer, env }: Stage): RateWatch {
  const looks: { readonly atMs: number; readonly redriven: number }[] = [];
  const stopping = new AbortController();
  let run: string | undefined;
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      run ??= (await producer.relay.deadLetters.redriveRuns())[0]?.id;
      if (run !== undefined) {
        const key = `${env['KEY_PREFIX']}:dead-letters:run:${run}`;
        looks.push({ redriven: Number(await client.hget(key, 'redriven')), atMs: performance.now() });
      }
      await sleep(LOOK_MS);
    }
  })();
  return {
    get run() {
      return run;
    },
    redriven: () => looks.at(-1)?.redriven ?? 0,
    mostPerSecond() {
      let most = 0;
      let from = 0;
      for (const { atMs, redriven } of looks) {
        while (atMs - (looks[from + 1]?.atMs ?? atMs) >= WINDOW_MS) from += 1;
        const first = looks[from];
        if (first === undefined || atMs - first.atMs < WINDOW_MS) continue;
        most = Math.max(most, ((redriven - first.redriven) * 1_000) / (atMs - first.atMs));
      }
      return most;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await loop;
    },
  };
}
