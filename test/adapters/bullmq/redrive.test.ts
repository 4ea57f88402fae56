import { describe, expect, onTestFinished, test } from 'vitest';
import { connectRedis } from '../../../src/adapters/bullmq/connect-redis.ts';
import { openRedrives } from '../../../src/adapters/bullmq/dead-letter-redrives.ts';
import { openDeadLetters } from '../../../src/adapters/bullmq/dead-letter-store.ts';
import { openDeadLetterDesk, RedriveRefused } from '../../../src/dead-letters.ts';
import type { Redrive } from '../../../src/domain/dead-letter.ts';
import type { LetterMove } from '../../../src/pipeline/redrive-ports.ts';
import { type DeskSetup, LEASE_MS, letterOf, setupDesk } from '../../support/dead-letters.ts';
import { parse, report } from '../../support/queue-setup.ts';
import { startOwnRedis } from '../../support/redis.ts';
import { NOT_FOUND, refusal, scriptedApi, UPDATED } from '../../support/scripted-api.ts';
import { until } from '../../support/wait.ts';

const FAST = { by: 'ada', rate: 10_000 };

const earlier = (run: string): Redrive => ({
  at: '2026-10-01T10:00:00.000Z',
  by: 'bob',
  run,
  code: 'rejected',
  enqueued_at: '2026-10-01T08:00:00.000Z',
  dead_at: '2026-10-01T09:00:00.000Z',
  attempts_made: 1,
  attempts: [],
});

async function settled(setup: DeskSetup, count: number): Promise<void> {
  await until('all are settled', async () => (await setup.isQuiet()) && setup.events.length === count);
}

describe('a redriven letter', () => {
  test('is a job with the plain report, fresh attempts and a fresh age, and no letter any more', async () => {
    const { desk, bury, foreign, queue } = await setupDesk();
    const [letter] = await bury(1);
    const before = Date.now();

    const run = await desk.redrive({}, FAST);

    expect(run).toMatchObject({ state: 'done', matched: 1, counts: { redriven: 1 }, reason: null });
    expect(await desk.counts()).toEqual({});
    expect(await queue.depth()).toMatchObject({ waiting: 1 });
    const job = await foreign.getJob(letter?.id.slice(2) ?? '');
    expect(job?.data).toEqual(letter?.report);
    expect(job?.attemptsMade).toBe(0);
    expect(job?.timestamp).toBeGreaterThanOrEqual(before);
    expect(await desk.totals()).toMatchObject({ redriven: { sync_job_not_found: 1 } });
  });

  test('is moved also where Redis has forgotten every script', async () => {
    const own = await startOwnRedis();
    onTestFinished(() => own[Symbol.asyncDispose]());
    const { desk, bury, redis, queue } = await setupDesk(own.url);
    await bury(3);
    // A connection makes sure of its scripts when it uses them for the first time, and never again.
    await desk.redrive({}, { ...FAST, limit: 1 });
    await redis.script('FLUSH');

    expect(await desk.redrive({}, FAST)).toMatchObject({ state: 'done', counts: { redriven: 2 } });
    expect(await queue.depth()).toMatchObject({ waiting: 3 });
  });

  test('is applied by any worker', async () => {
    const setup = await setupDesk();
    await setup.bury(30);
    const api = scriptedApi({ puts: [UPDATED] });
    setup.work({ api });

    await setup.desk.redrive({}, FAST);
    await settled(setup, 30);

    expect(new Set(api.sent.map(({ id }) => id)).size).toBe(30);
    expect(await setup.desk.counts()).toEqual({});
  });

  test('that dies again is a letter again, with its earlier life in it', async () => {
    const setup = await setupDesk();
    const [before] = await setup.bury(1);
    setup.work({ api: scriptedApi({ puts: [refusal(400, 'parsing_exception')] }) });

    const run = await setup.desk.redrive({}, FAST);
    await settled(setup, 1);

    const after = await setup.desk.get(before?.id ?? '');
    expect(after).toMatchObject({
      id: before?.id,
      code: 'rejected',
      report: before?.report,
      attempts_made: 1,
    });
    expect(after?.attempts).toHaveLength(1);
    expect(after?.redrives).toEqual([
      {
        at: expect.any(String),
        by: 'ada',
        run: run.id,
        code: 'sync_job_not_found',
        enqueued_at: before?.enqueued_at,
        dead_at: before?.dead_at,
        attempts_made: 1,
        attempts: before?.attempts,
      },
    ]);
    expect(await setup.desk.redriveRun(run.id)).toMatchObject({ again: 1, again_same_code: 0 });
    expect((await setup.desk.list({ againAfterRun: run.id, limit: 9 })).letters).toEqual([after]);
  });

  test('keeps its lineage through retries, and through a second redrive', async () => {
    const setup = await setupDesk();
    const original = { report: report('job-typo') };
    const edits = [{ at: '2026-10-01T10:00:00.000Z', by: 'bob', fields: ['connector_sync_job_id'] }];
    await setup.bury(1, () => ({ redrives: [earlier('run-0')], original, edits }));
    setup.work({
      api: scriptedApi({ puts: [refusal(503, 'busy'), refusal(503, 'busy'), NOT_FOUND] }),
    });

    await setup.desk.redrive({}, FAST);
    await settled(setup, 3);
    await setup.desk.redrive({}, FAST);
    await settled(setup, 4);

    const [letter] = (await setup.desk.list({ limit: 1 })).letters;
    expect(letter).toMatchObject({ original, edits, code: 'sync_job_not_found' });
    expect(letter?.redrives.map(({ by, code, attempts_made }) => [by, code, attempts_made])).toEqual([
      ['bob', 'rejected', 1],
      ['ada', 'sync_job_not_found', 1],
      ['ada', 'sync_job_not_found', 3],
    ]);
    expect(letter?.redrives[2]?.attempts.map(({ code }) => code)).toEqual([
      'server_error',
      'server_error',
      'sync_job_not_found',
    ]);
  });

  test('stays a letter while the same report is on its way', async () => {
    const setup = await setupDesk();
    const [letter] = await setup.bury(1);
    await setup.enqueue(report('job-0'));

    const run = await setup.desk.redrive({}, FAST);

    expect(run).toMatchObject({ state: 'done', counts: { redriven: 0, on_its_way: 1 } });
    expect(await setup.desk.get(letter?.id ?? '')).toEqual(letter);
    expect(await setup.queue.depth()).toMatchObject({ waiting: 1 });
  });

  test('goes only where it holds a report, and has not gone too often', async () => {
    const { desk, bury } = await setupDesk();
    await bury(4, (n) => {
      if (n === 0) return { report: null, payload: '{"eror":1}', id: 'd-r-broken' };
      if (n === 1) return { report: null, payload: JSON.stringify(report('was-too-long')), id: 'd-x' };
      return n === 2 ? { redrives: Array.from({ length: 10 }, () => earlier('run-0')) } : {};
    });

    expect(await desk.previewRedrive({}, {})).toEqual({
      matched: 4,
      would_redrive: { sync_job_not_found: 2 },
      would_pass: { no_report: 1, too_often: 1 },
    });
    const run = await desk.redrive({}, FAST);

    expect(run.counts).toMatchObject({ redriven: 2, no_report: 1, too_often: 1 });
    expect((await desk.redrive({}, { ...FAST, maxRedrives: 11 })).counts).toMatchObject({ redriven: 1 });
  });

  test('never becomes a job with an id that is the queue’s own', async () => {
    const { desk, bury, queue, foreign } = await setupDesk();
    const ids = ['d-meta', 'd-active', 'd-wait', 'd-id', 'd-0', 'd-a:b', 'd-'];
    await bury(ids.length, (n) => ({ id: ids[n] ?? '' }));

    expect((await desk.redrive({}, FAST)).counts.redriven).toBe(ids.length);

    expect(await queue.depth()).toMatchObject({ waiting: ids.length, active: 0 });
    for (const id of await foreign.getRanges(['wait'])) expect(id).toMatch(/^r-[\w-]{24}$/);
  });

  test('that has the same report as another one goes once, and the other one stays', async () => {
    const { desk, bury, queue } = await setupDesk();
    await bury(2, (n) => ({ report: report('same'), id: `d-foreign-${n}` }));

    expect((await desk.redrive({}, FAST)).counts).toMatchObject({ redriven: 1, on_its_way: 1 });
    expect(await queue.depth()).toMatchObject({ waiting: 1 });
    expect((await desk.list({ limit: 9 })).total).toBe(1);
  });
});

describe('a run', () => {
  test('takes those that are meant, the oldest first, up to its limit', async () => {
    const { desk, bury, foreign } = await setupDesk();
    await bury(20, (n) => ({
      report: { ...report(`job-${n}`), connector_id: n % 2 === 0 ? 'even' : 'odd' },
    }));

    const run = await desk.redrive({ connectorId: 'even' }, { ...FAST, limit: 3 });

    expect(run).toMatchObject({ state: 'done', matched: 10, limit: 3, counts: { redriven: 3 } });
    const jobs = await foreign.getJobs(['wait'], 0, 9, true);
    expect(jobs.map(({ data }) => data.connector_sync_job_id)).toEqual(['job-0', 'job-2', 'job-4']);
  });

  test('takes those named by id, of the letter or of the job', async () => {
    const { desk, bury } = await setupDesk();
    const letters = await bury(4);
    const ids = [letters[2]?.id ?? '', letters[0]?.id.slice(2) ?? '', 'd-r-none'];

    expect((await desk.redrive({ ids }, FAST)).counts.redriven).toBe(2);
    expect((await desk.list({ limit: 9 })).letters).toEqual([letters[3], letters[1]]);
  });

  test('stops when the same code comes back, and takes no letter twice', async () => {
    const setup = await setupDesk();
    await setup.bury(200);
    setup.work({ api: scriptedApi({ puts: [NOT_FOUND] }) });

    const run = await setup.desk.redrive({}, { by: 'ada', rate: 500 });

    expect(run).toMatchObject({
      state: 'stopped',
      reason: 'reports came back with the code they had before',
    });
    expect(run.counts.redriven).toBeLessThan(150);
    await setup.desk.redrive({}, { ...FAST, stopAfter: 0 });
    await until('all are dead again', async () => (await setup.desk.counts()).sync_job_not_found === 200);
    const letters = await Array.fromAsync(setup.desk.each({}));
    expect(new Set(letters.map(({ redrives }) => redrives.length))).toEqual(new Set([1, 2]));
    expect(letters.filter(({ redrives }) => redrives.length === 2)).toHaveLength(run.counts.redriven);
  });

  test('sends the rest when the canaries have passed', async () => {
    const setup = await setupDesk();
    await setup.bury(40);
    setup.work({ api: scriptedApi({}) });

    const run = await setup.desk.redrive({}, { ...FAST, canary: 5 });

    expect(run).toMatchObject({ state: 'done', phase: 'rest', counts: { redriven: 40 } });
    await settled(setup, 40);
  });

  test('sends no more where a canary is dead again, until somebody says so', async () => {
    const setup = await setupDesk();
    await setup.bury(40);
    setup.work({
      api: scriptedApi({ puts: [UPDATED, UPDATED, refusal(400, 'parsing_exception'), UPDATED] }),
    });

    const run = await setup.desk.redrive({}, { ...FAST, canary: 5 });

    expect(run).toMatchObject({
      state: 'stopped',
      phase: 'waiting',
      reason: 'a canary came back as a dead letter',
    });
    expect(run.counts.redriven).toBe(5);
    const resumed = await setup.desk.resumeRedrive(run.id, 'bob');
    expect(resumed).toMatchObject({ state: 'done', counts: { redriven: 40 }, again: 1 });
  });

  test('stops where the canaries take too long, and waits again when it is resumed', async () => {
    const setup = await setupDesk();
    await setup.bury(10);

    const run = await setup.desk.redrive({}, { ...FAST, canary: 2, canaryTimeoutMs: 50 });
    expect(run).toMatchObject({ state: 'stopped', reason: 'the canaries were not settled within 50 ms' });

    setup.work({ api: scriptedApi({}) });
    await settled(setup, 2);
    expect(await setup.desk.resumeRedrive(run.id, 'ada')).toMatchObject({
      state: 'done',
      counts: { redriven: 10 },
    });
  });

  test.each([40, 300])(
    'never goes faster than %i a second, in all and in any half a second',
    async (rate) => {
      const { desk, bury } = await setupDesk();
      await bury(rate);
      const times: number[] = [];
      const startedAt = performance.now();

      await desk.redrive(
        {},
        { by: 'ada', rate },
        {
          onProgress: (settled) => {
            while (times.length < settled) times.push(performance.now());
          },
        },
      );

      const seconds = (performance.now() - startedAt) / 1_000;
      expect(rate / seconds).toBeLessThanOrEqual(rate * 1.05);
      expect(seconds).toBeLessThan(4);
      for (const [index, time] of times.entries()) {
        const within = times.slice(index).filter((other) => other < time + 500).length;
        // One batch more than the rate allows may fall into a window.
        expect(within).toBeLessThanOrEqual(rate * 0.5 * 1.05 + Math.max(1, rate / 40));
      }
    },
  );

  test('is alone: another one is refused while it is carried out', async () => {
    const { desk, bury } = await setupDesk();
    await bury(50);
    const refused = Promise.withResolvers<unknown>();

    const first = await desk.redrive(
      {},
      { by: 'ada', rate: 200 },
      { onBegin: () => refused.resolve(desk.redrive({}, FAST).catch((error: unknown) => error)) },
    );

    const error = await refused.promise;
    expect(error).toBeInstanceOf(RedriveRefused);
    expect((error as RedriveRefused).run).toBe(first.id);
    expect(first.counts.redriven).toBe(50);
  });

  test('is cancelled from elsewhere, for good', async () => {
    const { desk, bury } = await setupDesk();
    await bury(500);
    let id = '';

    const run = await desk.redrive(
      {},
      { by: 'ada', rate: 200 },
      {
        onBegin: (begun) => {
          id = begun.id;
        },
        onProgress: (settled) => {
          if (settled === 10) void desk.cancelRedrive(id, 'bob');
        },
      },
    );

    expect(run).toMatchObject({ state: 'cancelled', reason: 'cancelled by bob' });
    expect(run.counts.redriven).toBeLessThan(100);
    expect((await desk.list({ limit: 1 })).total).toBe(500 - run.counts.redriven);
    await expect(desk.resumeRedrive(id, 'ada')).rejects.toThrow('is over');
    expect(await desk.cancelRedrive(id, 'ada')).toBe('over');
    expect(await desk.cancelRedrive('run-none', 'ada')).toBe('unknown');
    // The lease is free at once.
    expect(await desk.redrive({}, { ...FAST, limit: 1 })).toMatchObject({ state: 'done' });
    expect((await desk.audit(9)).map(({ action, by }) => [action, by])).toEqual([
      ['redrive-ended', 'ada'],
      ['redrive-begun', 'ada'],
      ['redrive-ended', 'ada'],
      ['redrive-cancelled', 'bob'],
      ['redrive-begun', 'ada'],
    ]);
  });

  test('rests when its process is told to end, and goes on from there', async () => {
    const { desk, bury } = await setupDesk();
    await bury(100);
    const ending = new AbortController();

    const run = await desk.redrive(
      {},
      { by: 'ada', rate: 500, limit: 80 },
      {
        signal: ending.signal,
        onProgress: (settled) => {
          if (settled >= 20) ending.abort();
        },
      },
    );

    expect(run).toMatchObject({ state: 'interrupted', ended_at: null });
    expect(run.counts.redriven).toBeLessThan(80);
    expect((await desk.redriveRuns()).map(({ id, state }) => [id, state])).toEqual([[run.id, 'interrupted']]);
    expect(await desk.resumeRedrive(run.id, 'bob')).toMatchObject({
      state: 'done',
      counts: { redriven: 80 },
    });
  });
});

describe('a process that only believes it has the run', () => {
  async function twoHolders() {
    const setup = await setupDesk();
    const [letter] = await setup.bury(1);
    if (letter === undefined) throw new Error('no letter');
    const redrives = openRedrives(setup.redis, setup.names, LEASE_MS);
    const work = await redrives.begin({
      by: 'ada',
      filter: {},
      rate: 1,
      limit: null,
      canary: 0,
      canary_timeout_ms: 1,
      stop_after: 0,
      max_redrives: 10,
      matched: 1,
      dead_before_ms: Date.now(),
      phase: 'rest',
      started_at: new Date().toISOString(),
    });
    if ('busy' in work) throw new Error('busy');
    const [seen] = await openDeadLetters(setup.redis, setup.names).read([letter.id]);
    const move: LetterMove = {
      id: letter.id,
      version: seen?.version ?? '',
      jobId: letter.id.slice(2),
      report: report('job-0'),
      history: { attempts: [] },
    };
    const at = { atMs: Date.now(), after: { atMs: 0, id: letter.id }, isCanary: false };
    return { ...setup, redrives, work, move, at, letter };
  }

  test('moves nothing once another one has taken it over', async () => {
    const { redrives, work, move, at, redis, names, desk, letter, queue } = await twoHolders();
    // As if it had been silent for longer than its lease.
    await redis.del(`${names.prefix}:dead-letters:redrive-lease`);
    const taken = await redrives.resume(work.run.id, 'bob', Date.now());

    expect(await redrives.move(work, [move], at)).toEqual({ kind: 'stopped', by: 'lost' });
    expect(await redrives.keep(work)).toBe('lost');
    expect(await desk.get(letter.id)).toEqual(letter);
    expect(await queue.depth()).toMatchObject({ waiting: 0 });

    await redrives.end(work, 'done', null, Date.now());
    expect(await redrives.get(work.run.id)).toMatchObject({ state: 'running' });
    if (typeof taken === 'string' || 'busy' in taken) throw new Error('not taken over');
    expect(await redrives.move(taken, [move], at)).toEqual({ kind: 'moved', verdicts: ['redriven'] });
    expect(await redrives.move(taken, [move], at)).toEqual({ kind: 'moved', verdicts: ['on_its_way'] });
    await redrives.close();
  });

  test('moves no letter that was edited, purged or has died again since it was seen', async () => {
    const { redrives, work, move, at, desk, letter, queue, foreign } = await twoHolders();
    await desk.edit(letter.id, [{ op: 'replace', path: '/error', value: 'other' }], 'ada');
    expect(await redrives.move(work, [move], at)).toEqual({ kind: 'moved', verdicts: ['changed'] });
    await desk.purge({}, 'ada');
    expect(await redrives.move(work, [move], at)).toEqual({ kind: 'moved', verdicts: ['changed'] });

    expect(await queue.depth()).toMatchObject({ waiting: 0 });
    expect(await foreign.getJob(move.jobId)).toBeUndefined();
    await redrives.close();
  });
});

test('where Redis has no memory left, a redrive fails and every letter stays', async () => {
  const own = await startOwnRedis({ appendOnly: false });
  const redis = connectRedis(own.url, 'producer', () => undefined);
  const { deadLetters, close } = openDeadLetterDesk(
    redis,
    { prefix: '{full}', queue: 'reports' },
    parse,
    (work) => work(),
    LEASE_MS,
  );
  for (let n = 0; n < 200; n += 1) await deadLetters.restore(letterOf(n));
  // Enough for the record of the run, and not for two hundred jobs.
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  await redis.config('SET', 'maxmemory', String(used + 60_000));

  const run = await deadLetters.redrive({}, FAST).catch((error: unknown) => error);
  await redis.config('SET', 'maxmemory', '0');
  const [left, jobs] = [
    (await deadLetters.list({ limit: 1 })).total,
    await redis.llen('{full}:reports:wait'),
  ];

  expect(left + jobs).toBe(200);
  expect(run instanceof Error || left > 0).toBe(true);
  await close();
  await redis.release();
});
