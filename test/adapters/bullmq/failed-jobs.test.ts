import { Worker } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { brokenJobsOf } from '../../../src/adapters/bullmq/broken-jobs.ts';
import { bundlesOf } from '../../../src/adapters/bullmq/bundles.ts';
import { failedJobsOf } from '../../../src/adapters/bullmq/failed-jobs.ts';
import { silentLog } from '../../../src/adapters/observe/create-log.ts';
import { type SweepContext, sweepFailed } from '../../../src/pipeline/sweep-failed.ts';
import { parse, type QueueSetup, report, setupQueue } from '../../support/queue-setup.ts';
import { redisUrl } from '../../support/redis.ts';
import { scriptedApi } from '../../support/scripted-api.ts';
import { until } from '../../support/wait.ts';

function sweepOf({ foreign, redis, deadLetters, names }: QueueSetup): SweepContext {
  return {
    failedJobs: failedJobsOf(foreign, redis),
    brokenJobs: brokenJobsOf(foreign, redis, { lockDurationMs: 1_000, maxPayloadBytes: 1_000_000 }),
    bundles: bundlesOf(redis, names, foreign),
    deadLetters,
    parse,
    now: Date.now,
    worker: 'sweeper',
    log: silentLog,
  };
}

/** A worker of somebody else's, which fails what it fetches and leaves it there. */
function failEverything({ names }: QueueSetup): Pick<Worker, 'close'> {
  const worker = new Worker(names.queue, () => Promise.reject(new Error('not ours')), {
    connection: { url: redisUrl(), maxRetriesPerRequest: null },
    prefix: names.prefix,
  });
  worker.on('error', () => undefined);
  onTestFinished(() => worker.close(true));
  return worker;
}

/** Reports that are a job each. */
async function enqueueAlone({ enqueue }: QueueSetup, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, n) => enqueue(report(`job-${n}`))));
}

test('every job that was failed without us becomes a dead letter, page by page', async () => {
  const setup = await setupQueue();
  await enqueueAlone(setup, 250);
  failEverything(setup);
  await until('all have failed', async () => (await setup.foreign.getFailedCount()) === 250);

  expect(await sweepFailed(sweepOf(setup))).toBe(250);

  expect(await setup.foreign.getFailedCount()).toBe(0);
  expect(await setup.deadLetters.counts()).toEqual({ attempts_exhausted: 250 });
  const [letter] = (await setup.deadLetters.list({ offset: 0, limit: 1 })).letters;
  expect(letter).toMatchObject({ answer: { type: 'failed_by_queue', reason: 'not ours' } });
  expect(letter?.report?.error).toBe('TimeoutError');
});

test('a failed job whose payload is broken, or gone, is swept like any other', async () => {
  const setup = await setupQueue();
  await setup.foreign.add('report', { anything: true }, { jobId: 'not-json' });
  failEverything(setup);
  await until('it has failed', async () => (await setup.foreign.getFailedCount()) === 1);
  await setup.redis.hset(setup.foreign.toKey('not-json'), 'data', '{cut', 'opts', '{cut');
  await setup.redis.zadd(setup.foreign.toKey('failed'), 1, 'no-hash');

  expect(await sweepFailed(sweepOf(setup))).toBe(2);

  expect(await setup.foreign.getFailedCount()).toBe(0);
  expect(await setup.deadLetters.get('d-not-json')).toMatchObject({
    code: 'invalid_report',
    payload: '{cut',
  });
  expect(await setup.deadLetters.get('d-no-hash')).toMatchObject({ code: 'invalid_report' });
});

test('of a bundle that was failed without us every report is tried, and the worker is not held against it', async () => {
  const setup = await setupQueue();
  await setup.enqueue(...Array.from({ length: 150 }, (_, n) => report(`job-${n}`)));
  const worker = failEverything(setup);
  await until('the bundles have failed', async () => (await setup.foreign.getFailedCount()) === 2);
  await worker.close(true);

  await Promise.all([sweepFailed(sweepOf(setup)), sweepFailed(sweepOf(setup))]);

  expect(await setup.foreign.getFailedCount()).toBe(0);
  expect(await setup.queue.depth()).toMatchObject({ waiting: 150, active: 0, delayed: 0 });
  setup.work({ api: scriptedApi({}) });
  await until('all are applied', async () => (await setup.isQuiet()) && setup.events.length === 150);
  expect(new Set(setup.events.map(({ job }) => job.id)).size).toBe(150);
  expect(await setup.deadLetters.counts()).toEqual({});
});

test('two sweeps at once leave one letter for each job', async () => {
  const setup = await setupQueue();
  await enqueueAlone(setup, 120);
  failEverything(setup);
  await until('all have failed', async () => (await setup.foreign.getFailedCount()) === 120);

  await Promise.all([sweepFailed(sweepOf(setup)), sweepFailed(sweepOf(setup))]);

  expect(await setup.deadLetters.counts()).toEqual({ attempts_exhausted: 120 });
  expect(await setup.foreign.getFailedCount()).toBe(0);
});

test.each([
  ['options', { opts: '{cut' }],
  ['options that are no object', { opts: '42' }],
  ['progress', { progress: 'zzz' }],
  ['parent', { parent: '{cut' }],
  ['rule to repeat', { opts: '{"repeat":{"pattern":"not a cron"}}', rjk: 'a:b:c:d' }],
])('a job whose %s no worker can read is mended and applied', async (_, fields) => {
  const setup = await setupQueue();
  await setup.foreign.add('report', report(), { jobId: 'broken' });
  await setup.redis.hset(setup.foreign.toKey('broken'), fields);
  setup.work({ api: scriptedApi({}), worker: { lockDurationMs: 1_000, stalledIntervalMs: 300 } });

  await until('it is applied', async () => {
    await sweepFailed(sweepOf(setup));
    return (await setup.isQuiet()) && setup.events.length === 1;
  });
  expect(setup.events[0]?.result.outcome.kind).toBe('applied');
});

test('a job of a scheduler is applied once, and its rule is left out', async () => {
  const setup = await setupQueue();
  await setup.foreign.upsertJobScheduler('often', { every: 100_000 }, { name: 'report', data: report() });
  setup.work({ api: scriptedApi({}) });

  await until('it is applied', () => setup.events.length === 1);
  expect(setup.events[0]?.result.outcome.kind).toBe('applied');
  await until('nothing is under way', async () => (await setup.foreign.getActiveCount()) === 0);
});

test('a job that a foreign worker marked to be failed unseen is attempted all the same', async () => {
  const setup = await setupQueue();
  await setup.foreign.add('report', report(), { jobId: 'marked' });
  await setup.redis.hset(
    setup.foreign.toKey('marked'),
    'stc',
    '2',
    'defa',
    'job stalled more than allowable limit',
  );
  setup.work({ api: scriptedApi({}) });

  await until('it is applied', async () => (await setup.isQuiet()) && setup.events.length === 1);
  expect(setup.events[0]?.result.outcome.kind).toBe('applied');
});

test('a job that a foreign worker completed is taken up again, and does not pass for one on its way', async () => {
  const setup = await setupQueue();
  await setup.enqueue(report());
  const foreignWorker = new Worker(setup.names.queue, async () => undefined, {
    connection: { url: redisUrl(), maxRetriesPerRequest: null },
    prefix: setup.names.prefix,
  });
  foreignWorker.on('error', () => undefined);
  await until('it is completed', async () => (await setup.foreign.getCompletedCount()) === 1);
  await foreignWorker.close();

  const api = scriptedApi({});
  setup.work({ api });
  await sweepFailed(sweepOf(setup));

  await until('it is applied', async () => (await setup.isQuiet()) && setup.events.length === 1);
  expect(api.sent).toHaveLength(1);
  expect(await setup.foreign.getCompletedCount()).toBe(0);
});

test('a key that is no job stops nothing that stands beside it', async () => {
  const setup = await setupQueue();
  await setup.enqueue(report('healthy'));
  failEverything(setup);
  await until('it has failed', async () => (await setup.foreign.getFailedCount()) === 1);
  await setup.redis.set(setup.foreign.toKey('text-key'), 'x');
  await setup.redis.zadd(setup.foreign.toKey('failed'), 1, 'text-key');
  await setup.redis.lpush(setup.foreign.toKey('active'), 'text-key');

  expect(await sweepFailed(sweepOf(setup))).toBe(2);

  expect(await setup.foreign.getFailedCount()).toBe(0);
  expect(await setup.redis.llen(setup.foreign.toKey('active'))).toBe(0);
  expect(await setup.deadLetters.counts()).toEqual({ attempts_exhausted: 1, invalid_report: 1 });
});

test('a lock that would never expire is given the time that locks have', async () => {
  const setup = await setupQueue();
  await setup.foreign.add('report', report(), { jobId: 'locked' });
  await setup.redis.lmove(setup.foreign.toKey('wait'), setup.foreign.toKey('active'), 'RIGHT', 'LEFT');
  await setup.redis.set(`${setup.foreign.toKey('locked')}:lock`, 'somebody');
  setup.work({ api: scriptedApi({}), worker: { lockDurationMs: 1_000, stalledIntervalMs: 300 } });

  await sweepFailed(sweepOf(setup));

  await until('it is applied', async () => (await setup.isQuiet()) && setup.events.length === 1);
});

test('a payload too long for any report is cut down, so that nobody dies of fetching it', async () => {
  const setup = await setupQueue();
  const { foreign, redis } = setup;
  for (const [id, bytes] of [
    ['long', 1_000_001],
    ['longest', 1_000_000],
  ] as const) {
    await foreign.add('report', {}, { jobId: id });
    await redis.hset(foreign.toKey(id), 'data', `"${'x'.repeat(bytes - 2)}"`);
    await redis.lmove(foreign.toKey('wait'), foreign.toKey('active'), 'RIGHT', 'LEFT');
  }

  await sweepFailed(sweepOf(setup));

  expect(await redis.hget(foreign.toKey('long'), 'data')).toMatch(
    /^"x{1023}\.\.\. \[998977 bytes left out\]$/,
  );
  expect(await redis.hstrlen(foreign.toKey('longest'), 'data')).toBe(1_000_000);
});
