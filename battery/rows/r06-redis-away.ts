import { setTimeout as sleep } from 'node:timers/promises';
import { type Finding, finding, seconds } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import type { FailedCall } from '../stage/producer.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const MOST_CALL_MS = 1_000;
/** What the machine may take on top of the relay's own clock. */
const TOLERANCE_MS = 150;
const MOST_PAUSE_MS = 10_000;
const SETTLE_MS = 60_000;
const CALL_EVERY_MS = 250;

/** A way in which Redis is no use, and what brings it back. */
interface Trouble {
  readonly name: string;
  begin(stage: Stage): Promise<() => Promise<void>>;
}

const TROUBLES: readonly Trouble[] = [
  {
    name: 'refused',
    async begin({ producer, fleet }) {
      const heals = [producer.proxy, ...fleet.slots.map(({ redis }) => redis)].map((proxy) =>
        proxy.strike({ kind: 'refuse' }),
      );
      return async () => {
        for (const heal of heals) heal();
      };
    },
  },
  {
    name: 'blackhole',
    async begin({ producer, fleet }) {
      const heals = [producer.proxy, ...fleet.slots.map(({ redis }) => redis)].map((proxy) =>
        proxy.strike({ kind: 'blackhole' }),
      );
      return async () => {
        for (const heal of heals) heal();
      };
    },
  },
  {
    name: 'stopped',
    async begin({ redis }) {
      await redis.end('SIGTERM');
      return () => redis.start();
    },
  },
  {
    name: 'full',
    async begin({ redis: { client } }) {
      await client.config('SET', 'maxmemory', '1mb');
      return async () => void (await client.config('SET', 'maxmemory', '0'));
    },
  },
  {
    name: 'READONLY',
    async begin({ redis: { client } }) {
      // A master that does not exist: the data stays, and every write is refused.
      await client.replicaof('127.0.0.1', 1);
      return async () => void (await client.replicaof('NO', 'ONE'));
    },
  },
];

/** R6: Redis away at the start and in mid-run, full, and read-only. */
export const redisAway: Row = defineRow({
  id: 'R6',
  fault: 'Redis away, full, READONLY',
  sizes: {
    full: { workers: 2, awayMs: 60_000, perSecond: 100 },
    short: { workers: 1, awayMs: 2_500, perSecond: 50 },
  },
  async run(context, { workers, awayMs, perSecond }) {
    await using stage = await openStage(context, { workers });
    const findings: Finding[] = [];

    context.say('away at the start');
    await stage.redis.end('SIGTERM');
    const starting = stage.fleet.slots.map((slot) => slot.launch());
    findings.push(...(await failing(stage, 'at start', awayMs)));
    await stage.redis.start();
    const backAtMs = Date.now();
    await Promise.all(starting.map((worker) => worker.line('worker started')));
    findings.push(await goesOn(stage, 'at start', backAtMs));

    for (const trouble of TROUBLES) {
      context.say(trouble.name);
      const before = makeReports(`before-${trouble.name}`, perSecond);
      stage.putSyncJobsOf(before);
      await stage.producer.inflow(before, perSecond);
      const end = await trouble.begin(stage);
      findings.push(...(await failing(stage, trouble.name, awayMs)));
      await end();
      findings.push(await goesOn(stage, trouble.name, Date.now()));
    }
    await stage.settle(SETTLE_MS);
    const ended = stage.fleet.workers.filter(({ exit }) => exit !== undefined).length;
    return [
      ...commonFindings(await stage.evidence()),
      ...findings,
      finding('workers stay', ended === 0, `${ended} workers ended`, '0'),
    ];
  },
});

/** Calls fail soon, one after the other and several at once, and say why. */
async function failing({ producer }: Stage, name: string, forMs: number): Promise<Finding[]> {
  const calls: Promise<boolean>[] = [];
  const firstFailure = producer.failedCalls.length;
  const deadline = Date.now() + forMs;
  for (let n = 0; Date.now() < deadline; n += 1) {
    calls.push(producer.reportOnce(makeReports(`meanwhile-${name}-${n}`, 3, { dead: 'sync_job_not_found' })));
    await sleep(CALL_EVERY_MS);
  }
  const results = await Promise.all(calls);
  const failures = producer.failedCalls.slice(firstFailure);
  const longestMs = Math.max(0, ...failures.map(({ durationMs }) => durationMs));
  return [
    finding(
      `${name}: enqueue fails soon`,
      longestMs <= MOST_CALL_MS + TOLERANCE_MS && failures.length === results.length && isClear(failures),
      `${failures.length} of ${results.length} calls failed, the slowest after ${seconds(longestMs)}: ${failures.at(-1)?.name ?? '–'}: ${failures.at(-1)?.message.slice(0, 120) ?? '–'}`,
      `all, at most ${seconds(MOST_CALL_MS)}, with a clear error`,
    ),
  ];
}

/** Named, with words, and without the library's own excuses alone. */
function isClear(failures: readonly FailedCall[]): boolean {
  return failures.every(({ name, message }) => /^Redis/.test(name) && message.length > 20);
}

async function goesOn(stage: Stage, name: string, backAtMs: number): Promise<Finding> {
  const reports = makeReports(`after-${name}`, 5);
  stage.putSyncJobsOf(reports);
  await stage.producer.report(reports);
  while (!reports.every(({ syncJobId }) => stage.standIn.syncJob(syncJobId)?.status === 'error')) {
    if (Date.now() - backAtMs > SETTLE_MS) break;
    await sleep(20);
  }
  const tookMs = Date.now() - backAtMs;
  return finding(
    `${name}: goes on`,
    tookMs <= MOST_PAUSE_MS,
    `fresh reports applied ${seconds(tookMs)} after Redis was back`,
    `at most ${seconds(MOST_PAUSE_MS)}`,
  );
}
