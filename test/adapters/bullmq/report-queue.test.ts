import { describe, expect, test } from 'vitest';
import { connectRedis, RedisUnavailable } from '../../../src/adapters/bullmq/connect-redis.ts';
import { openReportQueue } from '../../../src/adapters/bullmq/report-queue.ts';
import { reportJobId } from '../../../src/domain/job.ts';
import { report, setupQueue } from '../../support/queue-setup.ts';
import { startOwnRedis } from '../../support/redis.ts';
import { scriptedApi } from '../../support/scripted-api.ts';
import { until } from '../../support/wait.ts';

const identified = (id: string) => ({
  id: reportJobId(report(id)),
  report: report(id),
  enqueuedAtMs: Date.now(),
});

describe('the report queue', () => {
  test('says of each report whether it was new, in the order given', async () => {
    const { enqueue } = await setupQueue();

    expect(await enqueue(report('a'), report('b'))).toEqual(['queued', 'queued']);
    expect(await enqueue(report('b'), report('c'), report('c'))).toEqual([
      'duplicate',
      'queued',
      'duplicate',
    ]);
  });

  test('keeps the order of calls that are made at once, also where the later is put together sooner', async () => {
    const { names, redis, foreign } = await setupQueue();
    // Opened by its first call, for which all of them wait.
    const queue = openReportQueue(redis, names);
    const lots = [250, 1, 120, 1].map((count, lot) =>
      Array.from({ length: count }, (_, n) => identified(`${lot}-${n}`)),
    );
    await Promise.all(lots.map((lot) => queue.add(lot)));

    const ids = (await redis.lrange(foreign.toKey('wait'), 0, -1)).reverse();
    const lotOf = async (id: string): Promise<number> => {
      const data = (await redis.hget(foreign.toKey(id), 'data')) ?? '';
      return Number(/"(\d)-\d+"/.exec(data)?.[1]);
    };
    expect(await Promise.all(ids.map(lotOf))).toEqual([0, 0, 0, 1, 2, 2, 3]);
    await queue.close();
  });

  test('tells exactly one of many producers with the same report that it is new', async () => {
    const { names, url, queue } = await setupQueue();
    const connections = Array.from({ length: 10 }, () => connectRedis(url, 'producer', () => undefined));
    const producers = connections.map((redis) => openReportQueue(redis, names));

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => producers[n % 10]?.add([identified('same')])),
    );
    await Promise.all(producers.map((producer) => producer.close()));
    await Promise.all(connections.map((redis) => redis.release()));

    const flat = answers.flat();
    expect(flat.filter((answer) => answer === 'queued')).toHaveLength(1);
    expect(flat.filter((answer) => answer === 'duplicate')).toHaveLength(99);
    expect(await queue.depth()).toMatchObject({ waiting: 1 });
  });

  test('takes the names of its own keys, and whatever else, as sync job ids', async () => {
    const { enqueue, work, events, isQuiet } = await setupQueue();
    const ids = [
      'meta',
      'active',
      'wait',
      'id',
      'events',
      '0',
      '-7',
      'a:b',
      'a:b:c',
      '__proto__',
      'constructor',
      'ä/ö 日本\n\0',
    ];

    expect(await enqueue(...ids.map((id) => report(id)))).toEqual(ids.map(() => 'queued'));

    const api = scriptedApi({});
    work({ api });
    await until('all are applied', isQuiet);
    expect(events.map((event) => event.result.outcome.kind)).toEqual(ids.map(() => 'applied'));
    expect(api.sent.map(({ id }) => id).sort()).toEqual([...ids].sort());
  });

  test('puts fresh reports before those that wait, where that is asked for', async () => {
    const { names, redis, enqueue, work, isQuiet } = await setupQueue();
    const freshFirst = openReportQueue(redis, names, { freshFirst: true });
    await enqueue(report('old-1'), report('old-2'));
    await freshFirst.add([identified('fresh')]);
    await freshFirst.close();

    const api = scriptedApi({});
    work({ api, worker: { concurrency: 1 } });
    await until('all are applied', isQuiet);
    expect(api.sent.map(({ id }) => id)).toEqual(['fresh', 'old-1', 'old-2']);
  });

  test('accepts a settled report again as new', async () => {
    const { enqueue, work, isQuiet } = await setupQueue();
    await enqueue(report());
    work({ api: scriptedApi({}) });
    await until('it is applied', isQuiet);

    expect(await enqueue(report())).toEqual(['queued']);
  });

  test('tells how many wait, and for how long the oldest', async () => {
    const { queue, foreign } = await setupQueue();
    await queue.add([{ ...identified('old'), enqueuedAtMs: Date.now() - 5_000 }, identified('young')]);
    await foreign.add('report', report('later'), { delay: 60_000 });

    const depth = await queue.depth();
    expect(depth).toMatchObject({ waiting: 2, active: 0, delayed: 1, paused: false });
    expect(depth.oldestWaitingMs).toBeGreaterThanOrEqual(5_000);
    expect(depth.oldestWaitingMs).toBeLessThan(15_000);

    await foreign.pause();
    expect(await queue.depth()).toMatchObject({ waiting: 2, paused: true });
  });

  test('tells no age where the oldest has none that can be read', async () => {
    const { enqueue, queue, redis, foreign } = await setupQueue();
    await enqueue(report('a'));
    const [id = ''] = await redis.lrange(foreign.toKey('wait'), 0, -1);
    await redis.hset(foreign.toKey(id), 'timestamp', 'yesterday');
    expect((await queue.depth()).oldestWaitingMs).toBe(0);

    await redis.set(foreign.toKey('text-key'), 'x');
    await redis.rpush(foreign.toKey('wait'), 'text-key');
    expect(await queue.depth()).toMatchObject({ waiting: 2, oldestWaitingMs: 0 });
  });

  test('fails within a second and a half where there is no Redis', async () => {
    const redis = connectRedis('redis://127.0.0.1:1', 'producer', () => undefined);
    const queue = openReportQueue(redis, { prefix: '{none}', queue: 'reports' });
    const startedAt = performance.now();

    await expect(queue.add([identified('a')])).rejects.toThrow(RedisUnavailable);

    expect(performance.now() - startedAt).toBeLessThan(1_500);
    await queue.close();
    await redis.release();
  });

  test('fails within a second and a half where Redis hangs, and loses nothing when it is asked again', async () => {
    const own = await startOwnRedis();
    const redis = connectRedis(own.url, 'producer', () => undefined);
    const queue = openReportQueue(redis, { prefix: '{hang}', queue: 'reports' });
    await queue.add([identified('first')]);
    process.kill(own.pid, 'SIGSTOP');
    const startedAt = performance.now();

    await expect(queue.add([identified('second')])).rejects.toThrow(RedisUnavailable);
    expect(performance.now() - startedAt).toBeLessThan(1_500);

    process.kill(own.pid, 'SIGCONT');
    await until('Redis answers again', () =>
      redis.ping().then(
        () => true,
        () => false,
      ),
    );
    await queue.add([identified('second')]);
    expect(await queue.depth()).toMatchObject({ waiting: 2 });
    await queue.close();
    await redis.release();
  });
});
