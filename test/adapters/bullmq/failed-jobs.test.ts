import { Worker } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { failedJobsOf } from '../../../src/adapters/bullmq/failed-jobs.ts';
import { silentLog } from '../../../src/adapters/observe/create-log.ts';
import { type SweepContext, sweepFailed } from '../../../src/pipeline/sweep-failed.ts';
import { parse, type QueueSetup, report, setupQueue } from '../../support/queue-setup.ts';
import { redisUrl } from '../../support/redis.ts';
import { scriptedApi } from '../../support/scripted-api.ts';
import { until } from '../../support/wait.ts';

function sweepOf({ foreign, redis, deadLetters }: QueueSetup): SweepContext {
  return {
    failedJobs: failedJobsOf(foreign, redis),
    deadLetters,
    parse,
    now: Date.now,
    worker: 'sweeper',
    log: silentLog,
  };
}

/** A worker of somebody else's, which fails what it fetches and leaves it there. */
function failEverything({ names }: QueueSetup): void {
  const worker = new Worker(names.queue, () => Promise.reject(new Error('not ours')), {
    connection: { url: redisUrl(), maxRetriesPerRequest: null },
    prefix: names.prefix,
  });
  worker.on('error', () => undefined);
  onTestFinished(() => worker.close(true));
}

test('every job that was failed without us becomes a dead letter, page by page', async () => {
  const setup = await setupQueue();
  await setup.enqueue(...Array.from({ length: 250 }, (_, n) => report(`job-${n}`)));
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

test('two sweeps at once leave one letter for each job', async () => {
  const setup = await setupQueue();
  await setup.enqueue(...Array.from({ length: 120 }, (_, n) => report(`job-${n}`)));
  failEverything(setup);
  await until('all have failed', async () => (await setup.foreign.getFailedCount()) === 120);

  await Promise.all([sweepFailed(sweepOf(setup)), sweepFailed(sweepOf(setup))]);

  expect(await setup.deadLetters.counts()).toEqual({ attempts_exhausted: 120 });
  expect(await setup.foreign.getFailedCount()).toBe(0);
});

test('a job whose options no worker can read is mended and applied', async () => {
  const setup = await setupQueue();
  await setup.foreign.add('report', report(), { jobId: 'bad-options' });
  await setup.redis.hset(setup.foreign.toKey('bad-options'), 'opts', '{cut');
  const api = scriptedApi({});
  setup.work({ api, worker: { lockDurationMs: 1_000, stalledIntervalMs: 300 } });
  await until('a worker has stumbled over it', async () => (await setup.foreign.getActiveCount()) === 1);

  await sweepFailed(sweepOf(setup));

  await until('it is applied', async () => (await setup.isQuiet()) && setup.events.length === 1);
  expect(setup.events[0]?.result.outcome.kind).toBe('applied');
});
