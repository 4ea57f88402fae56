import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readAccount } from '../../../src/adapters/bullmq/account.ts';
import { brokenJobsOf } from '../../../src/adapters/bullmq/broken-jobs.ts';
import { bundlesOf } from '../../../src/adapters/bullmq/bundles.ts';
import { connectRedis } from '../../../src/adapters/bullmq/connect-redis.ts';
import { failedJobsOf } from '../../../src/adapters/bullmq/failed-jobs.ts';
import { findJob } from '../../../src/adapters/bullmq/find-job.ts';
import { openReportQueue, type ReportQueue } from '../../../src/adapters/bullmq/report-queue.ts';
import { silentLog } from '../../../src/adapters/observe/create-log.ts';
import type { Answer } from '../../../src/domain/answer.ts';
import type { ErrorReport } from '../../../src/domain/error-report.ts';
import { reportJobId } from '../../../src/domain/job.ts';
import { sweepFailed } from '../../../src/pipeline/sweep-failed.ts';
import { seeded } from '../../support/fleet.ts';
import { redisThatLosesAnAnswer } from '../../support/losing-redis.ts';
import { parse, type QueueSetup, report, setupQueue } from '../../support/queue-setup.ts';
import { keysUnder, startOwnRedis } from '../../support/redis.ts';
import {
  found,
  NOT_FOUND,
  REFUSED_TRANSITION,
  refusal,
  scriptedApi,
  UNREACHABLE,
  UPDATED,
} from '../../support/scripted-api.ts';
import { until } from '../../support/wait.ts';

const many = (count: number, prefix = 'job'): ErrorReport[] =>
  Array.from({ length: count }, (_, n) => report(`${prefix}-${n}`));

const hanging = (signal: AbortSignal): Promise<Answer> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve({ kind: 'interrupted' }));
  });

const bundleIds = async ({ redis, foreign }: QueueSetup): Promise<string[]> =>
  (await redis.lrange(foreign.toKey('wait'), 0, -1)).filter((id) => id.startsWith('b-'));

/** A producer of the same queue that never hears what its first transaction came to, and sends it again. */
async function forgetfulProducer(setup: QueueSetup, meanwhile?: () => Promise<void>): Promise<ReportQueue> {
  const url = await redisThatLosesAnAnswer(setup.url, meanwhile);
  const redis = connectRedis(url, 'producer', () => undefined, 10_000);
  onTestFinished(() => redis.release());
  return openReportQueue(redis, setup.names);
}

const bundledIn = ({ names }: QueueSetup): string => `${names.prefix}:bundled:${names.queue}`;

/** What is left in Redis of reports and bundles. */
const leftovers = async ({ names }: QueueSetup): Promise<string[]> =>
  (await keysUnder(names.prefix)).filter((key) => /:(r-|b-)|:bundle/.test(key));

describe('reports that are handed over together', () => {
  test('are a few jobs, and counted as what they are', async () => {
    const setup = await setupQueue();
    expect(await setup.enqueue(...many(250))).toEqual(Array(250).fill('queued'));

    expect(await setup.foreign.getWaitingCount()).toBe(3);
    expect(await setup.queue.depth()).toMatchObject({ waiting: 250, active: 0, delayed: 0 });
  });

  test('are applied each for itself, and leave nothing behind', async () => {
    const setup = await setupQueue();
    const api = scriptedApi({});
    await setup.enqueue(...many(250));
    setup.work({ api });
    await until('all are settled', async () => (await setup.isQuiet()) && setup.events.length === 250);

    expect(api.sent.map(({ id }) => id).sort()).toEqual(
      many(250)
        .map((one) => one.connector_sync_job_id)
        .sort(),
    );
    expect(setup.events.every(({ result }) => result.outcome.kind === 'applied')).toBe(true);
    expect(await leftovers(setup)).toEqual([]);
  });

  test('stay alone where their texts are long', async () => {
    const setup = await setupQueue();
    const long = (id: string): ErrorReport => report(id, 'x'.repeat(70_000));
    await setup.enqueue(long('a'), long('b'), report('c'), report('d'));

    expect(await bundleIds(setup)).toHaveLength(1);
    expect(await setup.foreign.getWaitingCount()).toBe(3);
    expect(await setup.queue.depth()).toMatchObject({ waiting: 4 });
  });

  test('are never more under way at once than attempts may be', async () => {
    const setup = await setupQueue();
    let underWay = 0;
    let most = 0;
    const counting = async (): Promise<Answer> => {
      underWay += 1;
      most = Math.max(most, underWay);
      await sleep(2);
      underWay -= 1;
      return UPDATED;
    };
    await setup.enqueue(...many(300));
    await setup.enqueue(report('alone'));
    setup.work({ api: scriptedApi({ puts: [counting] }), worker: { concurrency: 7 } });
    await until('all are settled', () => setup.events.length === 301);
    expect(most).toBe(7);
  });

  test('are counted once where the answer was lost and they are sent again', async () => {
    const setup = await setupQueue();
    const producer = await forgetfulProducer(setup);
    const lot = many(150).map((one) => ({ id: reportJobId(one), report: one, enqueuedAtMs: Date.now() }));
    expect(await producer.add(lot)).toEqual(Array(150).fill('queued'));
    expect(await readAccount(setup.redis, setup.names)).toMatchObject({ accepted: 150, unaccounted: 0 });

    setup.work({ api: scriptedApi({ puts: [hanging] }) });
    await until('all are under way', async () => (await setup.queue.depth()).active === 150);
    expect(await setup.queue.depth()).toMatchObject({ waiting: 0, delayed: 0 });
  });

  test('are not taken up again where they are sent again and some are settled by then', async () => {
    const setup = await setupQueue();
    const sentAgain = Promise.withResolvers<Answer>();
    const answer = (id: string): Promise<Answer> | Answer => {
      if (id === 'job-9') return sentAgain.promise;
      return id === 'job-8' ? UNREACHABLE : UPDATED;
    };
    const api = { ...scriptedApi({}), setSyncJobError: async (id: string) => answer(id) };
    const producer = await forgetfulProducer(setup, async () => {
      setup.work({ api, policy: { outage: { baseMs: 60_000, capMs: 60_000 } } });
      await until('only one is in the bundle', async () => (await setup.redis.hlen(bundledIn(setup))) === 1);
    });
    await producer.add(
      many(10).map((one) => ({ id: reportJobId(one), report: one, enqueuedAtMs: Date.now() })),
    );
    expect(await setup.queue.depth()).toMatchObject({ waiting: 0, active: 1, delayed: 1 });
    sentAgain.resolve(UPDATED);
    await until('the bundle is at its end', async () => (await setup.queue.depth()).active === 0);
    expect(await setup.queue.depth()).toMatchObject({ waiting: 0, active: 0, delayed: 1 });
    expect(await readAccount(setup.redis, setup.names)).toMatchObject({ accepted: 10, unaccounted: 0 });
    expect(await setup.redis.hlen(bundledIn(setup))).toBe(0);
  });

  test('are counted as what is left of them while they are under way', async () => {
    const setup = await setupQueue();
    const answer = (id: string, signal: AbortSignal): Promise<Answer> | Answer => {
      if (id === 'job-0') return hanging(signal);
      return id === 'job-1' ? UNREACHABLE : UPDATED;
    };
    setup.work({
      api: { ...scriptedApi({}), setSyncJobError: async (id, _text, signal) => answer(id, signal) },
      policy: { outage: { baseMs: 60_000, capMs: 60_000 } },
    });
    await setup.enqueue(...many(100));
    await until('one is left', async () => (await setup.queue.depth()).active === 1);
    await setup.queue.pause({ by: 'test', at: new Date().toISOString() });
    await setup.enqueue(...many(50, 'other'));
    expect(await setup.queue.depth()).toMatchObject({ waiting: 50, active: 1, delayed: 1 });
  });

  test('do not wait for a slow one in another bundle', async () => {
    const setup = await setupQueue();
    const api = {
      ...scriptedApi({}),
      setSyncJobError: async (id: string, _text: string, signal: AbortSignal) =>
        id.endsWith('-0') ? hanging(signal) : UPDATED,
    };
    for (let n = 0; n < 8; n += 1) await setup.enqueue(...many(100, `lot-${n}`));
    const worker = setup.work({ api, worker: { concurrency: 10 } });
    await until('all others are settled', () => setup.events.length === 792);
    await worker.stop(50);
  });

  test('are left to other workers where one has enough at hand', async () => {
    const setup = await setupQueue();
    for (let n = 0; n < 20; n += 1) await setup.enqueue(...many(100, `lot-${n}`));
    setup.work({ api: scriptedApi({ puts: [hanging] }), worker: { concurrency: 10 } });
    await until('it is busy', async () => (await setup.foreign.getActiveCount()) > 0);
    await sleep(300);

    expect(await setup.foreign.getActiveCount()).toBeLessThanOrEqual(2);
    const { waiting, active } = await setup.queue.depth();
    expect(waiting + active).toBe(2_000);
    expect(active).toBeLessThanOrEqual(200);
  });
});

describe('the same report', () => {
  test('in a bundle that is on its way is a duplicate, alone or with others', async () => {
    const { enqueue, queue } = await setupQueue();
    await enqueue(...many(100));

    expect(await enqueue(report('job-7'))).toEqual(['duplicate']);
    expect(await enqueue(...many(100))).toEqual(Array(100).fill('duplicate'));
    expect(await enqueue(report('job-7'), report('new'), report('job-8'))).toEqual([
      'duplicate',
      'queued',
      'duplicate',
    ]);
    expect(await queue.depth()).toMatchObject({ waiting: 101 });
  });

  test('as a job of its own keeps it out of a bundle', async () => {
    const setup = await setupQueue();
    await setup.enqueue(report('job-1'));
    expect(await setup.enqueue(...many(3))).toEqual(['queued', 'duplicate', 'queued']);
    setup.work({ api: scriptedApi({}) });
    await until('all are settled', async () => (await setup.isQuiet()) && setup.events.length >= 3);
    expect(setup.events.map(({ job }) => job.id).sort()).toEqual(many(3).map(reportJobId).sort());
    expect(await leftovers(setup)).toEqual([]);
  });

  test('twice in one call is new once', async () => {
    const setup = await setupQueue();
    expect(await setup.enqueue(report('a'), report('b'), report('a'))).toEqual([
      'queued',
      'queued',
      'duplicate',
    ]);
    setup.work({ api: scriptedApi({}) });
    await until('both are settled', async () => (await setup.isQuiet()) && setup.events.length >= 2);
    expect(setup.events).toHaveLength(2);
  });

  test('of many producers at once is new once', async () => {
    const setup = await setupQueue();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        n % 2 === 0 ? setup.enqueue(...many(60)) : Promise.all(many(60).map((one) => setup.enqueue(one))),
      ),
    );
    expect(answers.flat(2).filter((answer) => answer === 'queued')).toHaveLength(60);
    expect(await setup.queue.depth()).toMatchObject({ waiting: 60 });
    setup.work({ api: scriptedApi({}) });
    await until('all are settled', async () => (await setup.isQuiet()) && setup.events.length >= 60);
    expect(setup.events).toHaveLength(60);
    expect(await leftovers(setup)).toEqual([]);
  });

  test('is new again once it was settled', async () => {
    const setup = await setupQueue();
    setup.work({ api: scriptedApi({}) });
    await setup.enqueue(...many(5));
    await until('all are settled', async () => (await setup.isQuiet()) && setup.events.length === 5);
    expect(await setup.enqueue(...many(5))).toEqual(Array(5).fill('queued'));
    await until('all are settled', async () => (await setup.isQuiet()) && setup.events.length === 10);
  });
});

describe('a report in a bundle', () => {
  test('is found where it is', async () => {
    const setup = await setupQueue();
    const { redis, names } = setup;
    await setup.enqueue(...many(10));
    const id = reportJobId(report('job-3'));
    expect(await findJob(redis, names, id)).toMatchObject({ state: 'waiting', attemptsMade: 0 });
    const worker = setup.work({ api: scriptedApi({ puts: [hanging] }) });
    await until('it is under way', async () => (await findJob(redis, names, id))?.state === 'active');
    await worker.stop(50);
    expect(await findJob(redis, names, reportJobId(report('never')))).toBeUndefined();
  });

  test('has a verdict of its own, and waits as a job of its own', async () => {
    const setup = await setupQueue();
    const unavailable = refusal(503, 'unavailable_shards_exception');
    const answers: Record<string, Answer[]> = {
      gone: [NOT_FOUND],
      busy: [unavailable, UPDATED],
      away: [UNREACHABLE, UPDATED],
      never: [unavailable],
    };
    const api = scriptedApi({});
    const scripted = {
      ...api,
      setSyncJobError: async (id: string): Promise<Answer> => {
        const script = answers[id];
        if (script === undefined) return UPDATED;
        return script.length > 1 ? (script.shift() ?? UPDATED) : (script[0] ?? UPDATED);
      },
    };
    await setup.enqueue(
      ...many(20),
      report('gone'),
      report('busy'),
      report('away'),
      report('never'),
      report('odd', ''),
    );
    setup.work({ api: scripted, policy: { maxAttempts: 3 } });
    await until(
      'all are settled',
      async () => (await setup.isQuiet()) && (await leftovers(setup)).length === 0,
    );

    const ends = (id: string): unknown[] =>
      setup.events
        .filter(
          ({ job }) =>
            (job.payload as { value?: { connector_sync_job_id?: string } }).value?.connector_sync_job_id ===
            id,
        )
        .map(({ job, result }) => [job.attempt, result.outcome.kind]);
    expect(ends('job-3')).toEqual([[1, 'applied']]);
    expect(ends('gone')).toEqual([[1, 'dead-letter']]);
    expect(ends('busy')).toEqual([
      [1, 'retry'],
      [2, 'applied'],
    ]);
    expect(ends('away')).toEqual([
      [1, 'snooze'],
      [1, 'applied'],
    ]);
    expect(ends('never')).toEqual([
      [1, 'retry'],
      [2, 'retry'],
      [3, 'dead-letter'],
    ]);
    expect(ends('odd')).toEqual([[1, 'dead-letter']]);
    expect(await setup.deadLetters.counts()).toEqual({
      sync_job_not_found: 1,
      attempts_exhausted: 1,
      invalid_report: 1,
    });
    const letter = await setup.deadLetters.get(`d-${reportJobId(report('never'))}`);
    expect(letter?.attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  test('waits for its next attempt as long as it should, however old it is', async () => {
    const setup = await setupQueue();
    const old = Date.now() - 20_000;
    await setup.queue.add(many(2).map((one) => ({ id: reportJobId(one), report: one, enqueuedAtMs: old })));
    setup.work({
      api: scriptedApi({ puts: [UNREACHABLE, UNREACHABLE, UPDATED] }),
      policy: { outage: { baseMs: 30_000, capMs: 30_000 } },
    });
    await until('both wait', async () => (await setup.queue.depth()).delayed === 2);
    const [job] = await setup.foreign.getDelayed();
    const due = await findJob(setup.redis, setup.names, job?.id ?? '');
    const waitMs = (due?.dueAtMs ?? 0) - Date.now();
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(30_000);
    expect(job?.timestamp).toBe(old);
    expect(job?.attemptsMade).toBe(0);
  });
});

test('reports are added, and leave their bundle, where Redis has forgotten every script', async () => {
  const own = await startOwnRedis();
  onTestFinished(() => own[Symbol.asyncDispose]());
  const setup = await setupQueue(own.url);
  expect(await setup.enqueue(...many(3))).toEqual(Array(3).fill('queued'));
  await setup.redis.script('FLUSH');
  expect(await setup.enqueue(...many(3, 'second'))).toEqual(Array(3).fill('queued'));
  await setup.redis.script('FLUSH');
  expect(await setup.enqueue(report('alone'))).toEqual(['queued']);
  expect(await readAccount(setup.redis, setup.names)).toMatchObject({ accepted: 7, unaccounted: 0 });

  const bundles = bundlesOf(setup.redis, setup.names, setup.foreign);
  for (const [id, lot] of (await bundleIds(setup))
    .toReversed()
    .map((id, n) => [id, ['job', 'second'][n]] as const)) {
    await setup.redis.script('FLUSH');
    const takenOut = many(3, lot).map((one) => ({
      report: { id: reportJobId(one), enqueuedAtMs: Date.now(), report: one },
      attemptsMade: 0,
      starts: 1,
      crashes: 0,
      history: { attempts: [] },
      delayMs: 60_000,
    }));
    await bundles.takeOut(id, takenOut);
  }
  expect(await setup.queue.depth()).toMatchObject({ waiting: 1, delayed: 6 });
});

test('a report in a bundle of a producer whose clock is ahead waits no longer than any other', async () => {
  const setup = await setupQueue();
  const ahead = Date.now() + 3_600_000;
  await setup.queue.add(many(2).map((one) => ({ id: reportJobId(one), report: one, enqueuedAtMs: ahead })));
  setup.work({ api: scriptedApi({ puts: [UNREACHABLE, UNREACHABLE, UPDATED] }) });
  await until('both are applied', async () => (await setup.isQuiet()) && setup.events.length === 4);
  expect(await leftovers(setup)).toEqual([]);
});

test('of two reports for one sync job the first is tried first, whatever lies between them', async () => {
  const setup = await setupQueue();
  const random = seeded(5);
  const tried = new Map<string, string[]>();
  const api = {
    ...scriptedApi({}),
    setSyncJobError: async (id: string, error: string): Promise<Answer> => {
      tried.set(id, [...(tried.get(id) ?? []), error.slice(0, 6)]);
      await sleep(random() * 3);
      return UPDATED;
    },
  };
  setup.work({ api, worker: { concurrency: 20 } });
  const reports: ErrorReport[] = [];
  for (let n = 0; n < 1_500; n += 1) {
    // Some texts are long enough for a job of their own.
    const text = (which: string): string =>
      `${which} ${random() < 0.08 ? 'x'.repeat(70_000) : 'TimeoutError'}`;
    reports.push(report(`job-${n}`, text('first')));
    const earlier = Math.max(0, n - Math.floor(random() * 40));
    if (n % 2 === 0) reports.push(report(`job-${earlier}`, text(`again${n}`)));
  }
  const expected = new Map<string, string[]>();
  for (const { connector_sync_job_id: id, error } of reports)
    expected.set(id, [...(expected.get(id) ?? []), error.slice(0, 6)]);
  const atMs = Date.now();
  const calls: Promise<unknown>[] = [];
  let at = 0;
  while (at < reports.length) {
    const first = at;
    const size = random() < 0.3 ? 1 : 1 + Math.floor(random() * 130);
    const lot = reports.slice(at, at + size);
    calls.push(
      setup.queue.add(
        lot.map((one, n) => ({ id: reportJobId(one), report: one, enqueuedAtMs: atMs + first + n })),
      ),
    );
    at += size;
    if (random() < 0.5) await sleep(random() * 10);
  }
  await Promise.all(calls);
  await until(
    'all are settled',
    async () => (await setup.isQuiet()) && setup.events.length === reports.length,
  );
  expect(Object.fromEntries(tried)).toEqual(Object.fromEntries(expected));
});

describe('a bundle', () => {
  test('that a stopping worker did not get through is gone on with where it was', async () => {
    const setup = await setupQueue();
    let puts = 0;
    const some = async (signal: AbortSignal): Promise<Answer> => {
      puts += 1;
      return puts <= 30 ? UPDATED : hanging(signal);
    };
    await setup.enqueue(...many(100));
    const worker = setup.work({ api: scriptedApi({ puts: [some] }) });
    await until('it hangs', () => puts === 40);
    expect(await worker.stop(50)).toBe('clean');
    expect(setup.events.filter(({ result }) => result.outcome.kind === 'applied')).toHaveLength(30);
    expect(await setup.queue.depth()).toMatchObject({ waiting: 70, active: 0, delayed: 0 });

    const rest = scriptedApi({});
    setup.work({ api: rest });
    await until('the rest is applied', async () => await setup.isQuiet());
    expect(rest.sent).toHaveLength(70);
    expect(setup.events.every(({ job }) => job.attempt === 1)).toBe(true);
    expect(await leftovers(setup)).toEqual([]);
  });

  test('that its worker died on is split, in order, before anything in it is tried', async () => {
    const setup = await setupQueue();
    await setup.enqueue(...many(100));
    const [id = ''] = await bundleIds(setup);
    await setup.redis.hset(setup.foreign.toKey(id), 'stc', 1);
    await setup.enqueue(report('later'));
    const api = scriptedApi({});
    setup.work({ api, worker: { concurrency: 1 } });
    await until('all are applied', async () => (await setup.isQuiet()) && setup.events.length === 101);

    expect(api.sent.map((sent) => sent.id)).toEqual([
      ...many(100).map((one) => one.connector_sync_job_id),
      'later',
    ]);
    expect(setup.events.filter(({ job }) => job.crashes === 1)).toHaveLength(100);
    expect(await leftovers(setup)).toEqual([]);
  });

  test('that is opened by two workers at once ends each report once', async () => {
    const setup = await setupQueue();
    await setup.enqueue(...many(50));
    const [id = ''] = await bundleIds(setup);
    const bundles = bundlesOf(setup.redis, setup.names, setup.foreign);
    const ids = many(50).map(reportJobId);
    // Another worker has noted some as settled, and taken others out, while this one was cut off.
    await bundles.noteSettled(id, ids.slice(0, 10), false);
    const takenOut = many(50)
      .slice(10, 20)
      .map((one) => ({
        report: { id: reportJobId(one), enqueuedAtMs: Date.now(), report: one },
        attemptsMade: 0,
        starts: 1,
        crashes: 0,
        history: { attempts: [] },
        delayMs: 0,
      }));
    await bundles.takeOut(id, takenOut);
    await bundles.takeOut(id, takenOut);
    expect(await setup.queue.depth()).toMatchObject({ waiting: 40 });

    const api = scriptedApi({});
    setup.work({ api });
    await until('all are applied', async () => (await setup.isQuiet()) && setup.events.length === 40);
    expect(new Set(api.sent.map((sent) => sent.id)).size).toBe(40);
    // Too late: what was taken out has been settled meanwhile, and does not come back.
    await bundles.takeOut(id, takenOut);
    expect(await setup.isQuiet()).toBe(true);
    expect(await leftovers(setup)).toEqual([]);
  });

  test('whose form nobody can read is a dead letter as a whole, with all that was in it', async () => {
    const setup = await setupQueue();
    await setup.foreign.add('bundle', { reports: [['meta', 1, report()]] }, { jobId: 'strange' });
    setup.work({});
    await until('it is settled', async () => (await setup.isQuiet()) && setup.events.length === 1);
    const letter = await setup.deadLetters.get('d-strange');
    expect(letter).toMatchObject({ code: 'invalid_report' });
    expect(letter?.payload).toContain('TimeoutError');
  });

  test('that has the id of one of its reports is a dead letter as a whole', async () => {
    const setup = await setupQueue();
    const id = reportJobId(report('odd'));
    await setup.foreign.add('bundle', { reports: [[id, 1, report('odd')]] }, { jobId: id });
    setup.work({});
    await until('it is settled', async () => (await setup.isQuiet()) && setup.events.length === 1);
    expect(await setup.deadLetters.get(`d-${id}`)).toMatchObject({ code: 'invalid_report' });
  });

  test('that was stored without a note of its reports is settled all the same', async () => {
    const setup = await setupQueue();
    await setup.enqueue(report('job-1'));
    const reports = many(3).map((one) => [reportJobId(one), Date.now(), one]);
    await setup.foreign.add('bundle', { reports }, { jobId: 'b-foreign' });
    const api = scriptedApi({});
    setup.work({ api });
    await until('all are applied', async () => (await setup.isQuiet()) && setup.events.length >= 3);
    expect(api.sent.map((sent) => sent.id).sort()).toEqual(['job-0', 'job-1', 'job-2']);
    expect(await leftovers(setup)).toEqual([]);
  });

  test('that somebody has taken out of the queue leaves no report that cannot be enqueued again', async () => {
    const setup = await setupQueue();
    const { redis, names, foreign, deadLetters } = setup;
    await setup.enqueue(...many(100));
    await setup.enqueue(...many(100, 'other'));
    await foreign.remove((await bundleIds(setup))[1] ?? '');
    expect(await setup.enqueue(report('job-1'))).toEqual(['queued']);

    const swept = {
      failedJobs: failedJobsOf(foreign, redis),
      brokenJobs: brokenJobsOf(foreign, redis, { lockDurationMs: 1_000, maxPayloadBytes: 1_000_000 }),
    };
    const bundles = bundlesOf(redis, names, foreign);
    await sweepFailed({
      ...swept,
      bundles,
      deadLetters,
      parse,
      now: Date.now,
      worker: 'sweeper',
      log: silentLog,
    });

    expect(await setup.queue.depth()).toMatchObject({ waiting: 101 });
    expect(await setup.enqueue(...many(100))).toEqual(['queued', 'duplicate', ...Array(98).fill('queued')]);
  });

  test('is nothing to another queue with the same prefix', async () => {
    const setup = await setupQueue();
    const names = { ...setup.names, queue: 'other' };
    const other = new Queue(names.queue, { connection: setup.redis, prefix: names.prefix });
    onTestFinished(() => other.close());
    await setup.enqueue(...many(10));
    expect(await openReportQueue(setup.redis, names).depth()).toMatchObject({ waiting: 0, active: 0 });
    expect(await readAccount(setup.redis, names)).toMatchObject({ accepted: 0, unaccounted: 0 });
    expect(await bundlesOf(setup.redis, names, other).forgetGone()).toEqual([]);

    const api = scriptedApi({});
    setup.work({ api });
    await until('all are settled', async () => await setup.isQuiet());
    expect(api.sent).toHaveLength(10);
  });

  test('in which a letter cannot be written costs no other report anything', async () => {
    const setup = await setupQueue();
    await setup.enqueue(...many(20), report('gone'));
    const letterKey = `${setup.names.prefix}:dead-letters:all`;
    await setup.redis.set(letterKey, 'not a set');
    const api = scriptedApi({});
    const gone = { ...api, setSyncJobError: async (id: string) => (id === 'gone' ? NOT_FOUND : UPDATED) };
    setup.work({ api: gone });
    await until('the others are applied', () => setup.events.length === 20);
    await until('it waits alone', async () => (await setup.queue.depth()).delayed === 1);
    await setup.redis.del(letterKey);
    expect(await setup.queue.depth()).toMatchObject({ waiting: 0, active: 0, delayed: 1 });
  });
});

test('a report that was applied in a bundle before a crash is found applied when it comes again', async () => {
  const setup = await setupQueue();
  await setup.enqueue(...many(10));
  const [id = ''] = await bundleIds(setup);
  await setup.redis.hset(setup.foreign.toKey(id), 'stc', 1);
  setup.work({ api: scriptedApi({ puts: [REFUSED_TRANSITION], gets: [found('error', 'TimeoutError')] }) });
  await until('all are settled', async () => (await setup.isQuiet()) && setup.events.length === 10);
  expect(setup.events.every(({ result }) => result.outcome.kind === 'already-applied')).toBe(true);
});
