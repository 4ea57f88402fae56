import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { connectRedis } from '../../../src/adapters/bullmq/connect-redis.ts';
import { openReportWorker } from '../../../src/adapters/bullmq/report-worker.ts';
import { silentLog } from '../../../src/adapters/observe/create-log.ts';
import type { Answer } from '../../../src/domain/answer.ts';
import type { SettleJob } from '../../../src/pipeline/ports.ts';
import { report, setupQueue } from '../../support/queue-setup.ts';
import { keysUnder } from '../../support/redis.ts';
import { found, NOT_FOUND, refusal, scriptedApi, UNREACHABLE, UPDATED } from '../../support/scripted-api.ts';
import { until } from '../../support/wait.ts';

const UNAVAILABLE = refusal(503, 'unavailable_shards_exception');

/** Never answers; ends when it is told to. */
const hanging = (signal: AbortSignal): Promise<Answer> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve({ kind: 'interrupted' }));
  });

describe('a report on its way through the worker', () => {
  test('is applied, and leaves nothing behind', async () => {
    const { enqueue, work, events, isQuiet, names } = await setupQueue();
    await enqueue(report());
    work({ api: scriptedApi({}) });
    await until('it is settled', async () => (await isQuiet()) && events.length === 1);

    expect(events[0]).toMatchObject({ job: { attempt: 1 }, result: { outcome: { kind: 'applied' } } });
    expect((await keysUnder(names.prefix)).filter((key) => key.includes(':r-'))).toEqual([]);
  });

  test('is a dead letter at the first genuine 404, with the report in full', async () => {
    const { enqueue, work, events, deadLetters, isQuiet } = await setupQueue();
    await enqueue(report('gone', 'x'.repeat(40_000)));
    work({ api: scriptedApi({ puts: [NOT_FOUND] }) });
    await until('it is settled', async () => (await isQuiet()) && events.length === 1);

    const { total, letters } = await deadLetters.list({ offset: 0, limit: 10 });
    expect(total).toBe(1);
    expect(letters[0]).toMatchObject({
      code: 'sync_job_not_found',
      report: report('gone', 'x'.repeat(40_000)),
      answer: { status: 404, type: 'resource_not_found_exception' },
      attempts_made: 1,
      worker: 'worker-1',
      redrives: [],
    });
    expect(letters[0]?.attempts).toHaveLength(1);
    expect(letters[0]?.id).toBe(`d-${events[0]?.job.id}`);
  });

  test('is retried as often as the worker says, whatever its producer wrote into the job', async () => {
    const { foreign, work, events, deadLetters, isQuiet } = await setupQueue();
    await foreign.add('report', report(), {
      attempts: 1,
      backoff: { type: 'no-such-strategy' },
      removeOnFail: true,
      jobId: 'foreign-job',
    });
    work({ api: scriptedApi({ puts: [UNAVAILABLE] }), policy: { maxAttempts: 3 } });
    await until('it is settled', isQuiet);

    expect(events.map(({ job, result }) => [job.attempt, result.outcome.kind])).toEqual([
      [1, 'retry'],
      [2, 'retry'],
      [3, 'dead-letter'],
    ]);
    const [letter] = (await deadLetters.list({ offset: 0, limit: 1 })).letters;
    expect(letter).toMatchObject({ code: 'attempts_exhausted', attempts_made: 3, answer: { status: 503 } });
    expect(letter?.attempts.map(({ attempt, code }) => [attempt, code])).toEqual([
      [1, 'server_error'],
      [2, 'server_error'],
      [3, 'server_error'],
    ]);
  });

  test('is retried where its producer asked for no retries at all', async () => {
    const { foreign, work, events, isQuiet } = await setupQueue();
    await foreign.add('report', report());
    work({ api: scriptedApi({ puts: [UNAVAILABLE, UPDATED] }) });
    await until('it is settled', async () => (await isQuiet()) && events.length === 2);

    expect(events.map(({ result }) => result.outcome.kind)).toEqual(['retry', 'applied']);
  });

  test('uses no attempt while Elasticsearch cannot be reached', async () => {
    const { enqueue, work, events, isQuiet } = await setupQueue();
    await enqueue(report());
    const outage = Array.from({ length: 8 }, () => UNREACHABLE);
    work({ api: scriptedApi({ puts: [...outage, UPDATED] }), policy: { maxAttempts: 2 } });
    await until('it is applied', async () => (await isQuiet()) && events.length === 9);

    expect(events.map(({ job }) => job.attempt)).toEqual(Array(9).fill(1));
    expect(events.at(-1)?.result.outcome.kind).toBe('applied');
  });

  test('is looked at again while its sync job does not run, and given up after the time for it', async () => {
    const { enqueue, work, events, deadLetters, isQuiet } = await setupQueue();
    await enqueue(report());
    const refused = refusal(400, 'status_exception', 'Invalid transition attempt from [pending] to [error].');
    work({
      api: scriptedApi({ puts: [refused], gets: [found('pending')] }),
      policy: { notRunningMaxMs: 120, notRunningDelayMs: 30 },
    });
    await until('it is settled', isQuiet);

    expect(events.length).toBeGreaterThan(2);
    expect(events.every(({ job }) => job.attempt === 1)).toBe(true);
    const [letter] = (await deadLetters.list({ offset: 0, limit: 1 })).letters;
    expect(letter).toMatchObject({ code: 'not_running', found: { status: 'pending' } });
  });
});

describe('a payload from outside', () => {
  test.each([
    ['null', null],
    ['a number', 42],
    ['an array', []],
    ['text', 'TimeoutError'],
    ['an object of another form', { message: 'TimeoutError' }],
    ['a report with a path for an id', { connector_sync_job_id: '..', error: 'x' }],
  ])('that is %s becomes a dead letter without a request', async (_, payload) => {
    const { foreign, work, deadLetters, isQuiet } = await setupQueue();
    await foreign.add('report', payload);
    work({});
    await until('it is settled', isQuiet);

    const [letter] = (await deadLetters.list({ offset: 0, limit: 1 })).letters;
    expect(letter).toMatchObject({
      code: 'invalid_report',
      report: null,
      payload: JSON.stringify(payload),
      attempts_made: 0,
    });
    expect(letter?.problems?.length).toBeGreaterThan(0);
  });

  test('that is not JSON becomes a dead letter with its text, and its neighbours are applied', async () => {
    const { foreign, redis, enqueue, work, events, deadLetters, isQuiet } = await setupQueue();
    await enqueue(report('before'));
    await foreign.add('report', {}, { jobId: 'broken' });
    await redis.hset(foreign.toKey('broken'), 'data', '{"connector_sync_job_id":"cut');
    await enqueue(report('after'));
    work({ api: scriptedApi({}) });
    await until('all are settled', async () => (await isQuiet()) && events.length === 3);

    expect(events.map(({ result }) => result.outcome.kind).sort()).toEqual([
      'applied',
      'applied',
      'dead-letter',
    ]);
    const [letter] = (await deadLetters.list({ offset: 0, limit: 1 })).letters;
    expect(letter).toMatchObject({ code: 'invalid_report', payload: '{"connector_sync_job_id":"cut' });
  });

  test.each(['opts', 'progress', 'parent'])(
    'whose %s cannot be read keeps nobody from hearing that the report before it was applied',
    async (field) => {
      const { foreign, redis, enqueue, work, events } = await setupQueue();
      await enqueue(report('before'));
      await foreign.add('report', {}, { jobId: 'broken' });
      await redis.hset(foreign.toKey('broken'), field, '{');
      work({ api: scriptedApi({}), worker: { concurrency: 1 } });
      await until('it is told', async () => events.length === 1);

      expect(events[0]).toMatchObject({ result: { outcome: { kind: 'applied' } } });
    },
  );

  test('that would fill a process when it is parsed, is not parsed', async () => {
    const { foreign, redis, work, events, isQuiet } = await setupQueue();
    await foreign.add('report', {}, { jobId: 'deep' });
    // Parsed, this takes hundreds of mebibytes.
    const text = '['.repeat(5_000_000) + ']'.repeat(5_000_000);
    await redis.hset(foreign.toKey('deep'), 'data', text);
    const before = process.memoryUsage().heapUsed;
    let most = 0;
    const settled: SettleJob = async ({ payload }) => {
      most = process.memoryUsage().heapUsed - before;
      expect(payload.kind).toBe('text');
      return { outcome: { kind: 'applied' }, history: { attempts: [] } };
    };
    work({ settle: settled });
    await until('it is settled', async () => (await isQuiet()) && events.length === 1);

    expect(most).toBeLessThan(100 * 2 ** 20);
  });

  test('that is missing altogether becomes a dead letter', async () => {
    const { foreign, redis, work, events, deadLetters, isQuiet } = await setupQueue();
    await foreign.add('report', report(), { jobId: 'whole' });
    await redis.lpush(foreign.toKey('wait'), 'no-hash');
    work({ api: scriptedApi({}) });
    await until('both are settled', async () => (await isQuiet()) && events.length === 2);

    expect(await deadLetters.get('d-no-hash')).toMatchObject({ code: 'invalid_report', report: null });
  });
});

describe('a fault of the worker', () => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'thrown text'],
    ['an Error', new Error('thrown error')],
  ])('that throws %s is an attempt that failed, and no job sticks', async (_, thrown) => {
    const { enqueue, work, foreign } = await setupQueue();
    await enqueue(report());
    const settle: SettleJob = () => {
      throw thrown;
    };
    work({ settle });

    await until('the job waits for its next attempt', async () => (await foreign.getDelayedCount()) === 1);
    expect(await foreign.getActiveCount()).toBe(0);
  });

  test('that kills it again and again makes the job a dead letter, without another request', async () => {
    const { enqueue, work, events, foreign, redis, deadLetters, isQuiet } = await setupQueue();
    await enqueue(report());
    const [id = ''] = (await foreign.getJobs(['wait'], 0, 0)).map((job) => job.id ?? '');
    // It was under way when a worker died, and then killed two more that tried it alone.
    await redis.hset(foreign.toKey(id), 'stc', '3', 'relay:trials', '2');
    work({});
    await until('it is settled', async () => (await isQuiet()) && events.length === 1);

    expect(await deadLetters.get(`d-${id}`)).toMatchObject({ code: 'poison', report: report() });
  });

  test('that loses it in mid-attempt leaves the job to another worker', async () => {
    const { enqueue, work, events, isQuiet } = await setupQueue();
    await enqueue(report());
    const cutOff = work({
      api: scriptedApi({ puts: [hanging] }),
      worker: { lockDurationMs: 1_000, stalledIntervalMs: 300 },
    });
    await until('the first worker has it', async () => !(await isQuiet()));
    await sleep(50);
    cutOff.redis.disconnect();
    await cutOff.redis.release();

    work({ api: scriptedApi({}), worker: { lockDurationMs: 1_000, stalledIntervalMs: 300 } });
    await until('the second worker has applied it', async () => (await isQuiet()) && events.length === 1);
    expect(events[0]).toMatchObject({ job: { attempt: 1 }, result: { outcome: { kind: 'applied' } } });
  });
});

describe('a worker that stops', () => {
  test('finishes what is under way', async () => {
    const { enqueue, work, events, isQuiet } = await setupQueue();
    await enqueue(report());
    const slowly = async (): Promise<Answer> => {
      await sleep(200);
      return UPDATED;
    };
    const worker = work({ api: scriptedApi({ puts: [slowly] }) });
    await until('it is under way', async () => !(await isQuiet()));
    await sleep(50);

    expect(await worker.stop(5_000)).toBe('clean');
    expect(events.map(({ result }) => result.outcome.kind)).toEqual(['applied']);
  });

  test('hands back what does not end in time, at once and without an attempt used', async () => {
    const { enqueue, work, events, foreign } = await setupQueue();
    for (const id of ['a', 'b', 'c']) await enqueue(report(id));
    const worker = work({ api: scriptedApi({ puts: [hanging] }) });
    await until('all are under way', async () => (await foreign.getActiveCount()) === 3);
    const startedAt = performance.now();

    expect(await worker.stop(100)).toBe('clean');

    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(await foreign.getJobCounts('waiting', 'active', 'delayed')).toEqual({
      waiting: 3,
      active: 0,
      delayed: 0,
    });
    expect(events.map(({ result }) => result.outcome.kind)).toEqual(['hand-back', 'hand-back', 'hand-back']);
    work({ api: scriptedApi({}) });
    await until('another worker applies them', () => events.length === 6);
    expect(events.slice(3).map(({ job }) => job.attempt)).toEqual([1, 1, 1]);
  });

  test('ends within its time where Redis never answered', async () => {
    const redis = connectRedis('redis://127.0.0.1:1', 'worker', () => undefined);
    const worker = openReportWorker(
      redis,
      { prefix: '{none}', queue: 'reports' },
      { name: 'w', concurrency: 1, lockDurationMs: 1_000, stalledIntervalMs: 500 },
      {
        settle: () => Promise.reject(new Error('nothing can be fetched')),
        bundles: {
          pending: () => Promise.reject(new Error('nothing can be fetched')),
          takeOut: () => Promise.reject(new Error('nothing can be fetched')),
          noteSettled: () => Promise.reject(new Error('nothing can be fetched')),
          forgetGone: () => Promise.reject(new Error('nothing can be fetched')),
        },
        observe: () => undefined,
        log: silentLog,
      },
    );
    worker.start();
    const startedAt = performance.now();

    await worker.stop(200);
    await redis.release();

    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});

test('every connection of a worker waits for Redis as long as it takes', async () => {
  const { url } = await setupQueue();
  const redis = connectRedis(url, 'worker', () => undefined);
  const copy = redis.duplicate({ connectionName: 'blocking' });

  expect(redis.options.maxRetriesPerRequest).toBeNull();
  expect(copy.options.maxRetriesPerRequest).toBeNull();
  expect(redis.options.commandTimeout).toBeUndefined();
  await redis.release();
  await until('the copy is gone with it', () => copy.status === 'end');
});
