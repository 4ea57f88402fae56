import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { PauseNote } from '../../../src/pipeline/ports.ts';
import { report, setupQueue } from '../../support/queue-setup.ts';
import { startOwnRedis } from '../../support/redis.ts';
import { scriptedApi, UPDATED } from '../../support/scripted-api.ts';
import { until } from '../../support/wait.ts';

const NOTE: PauseNote = { by: 'ann', at: '2026-11-23T09:30:00.000Z', reason: 'upgrade' };

/** Nothing tells that nothing happens; a worker that fetched would have done so at once. */
const QUIET_MS = 500;

describe('a paused queue', () => {
  test('lets nothing be fetched by idle, busy or new workers, finishes what is under way and accepts more', async () => {
    const { queue, enqueue, work, events } = await setupQueue();
    const begun = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<typeof UPDATED>();
    const api = scriptedApi({
      puts: [
        () => {
          begun.resolve();
          return answer.promise;
        },
        UPDATED,
      ],
    });
    // One at a time, so that the second report waits while the first is under way.
    work({ api, worker: { concurrency: 1 } });
    await enqueue(report('under-way'));
    await enqueue(report('waiting'));
    await begun.promise;
    const idle = scriptedApi({});

    expect(await queue.pause(NOTE)).toEqual({ status: 'paused' });
    answer.resolve(UPDATED);
    work({ api: idle });
    await until('what was under way is finished', () => events.length === 1);
    expect(await enqueue(report('later'))).toEqual(['queued']);
    await sleep(QUIET_MS);

    expect(api.sent.map(({ id }) => id)).toEqual(['under-way']);
    expect(idle.sent).toEqual([]);
    expect(await queue.depth()).toMatchObject({ waiting: 2, active: 0, paused: true, pause: NOTE });
    expect((await queue.depth()).oldestWaitingMs).toBeGreaterThanOrEqual(QUIET_MS);

    expect(await queue.resume()).toEqual({ status: 'resumed', note: NOTE });
    await until('all are applied', () => events.length === 3);
    expect(events.every(({ result }) => result.outcome.kind === 'applied')).toBe(true);
  });

  test('keeps delayed reports that become due, and sends them when it is resumed', async () => {
    const { queue, enqueue, work, events, isQuiet } = await setupQueue();
    const api = scriptedApi({
      puts: [
        async () => {
          await queue.pause(NOTE);
          return {
            kind: 'response',
            status: 503,
            fromElasticsearch: true,
            body: { kind: 'error', type: 'x', reason: '' },
          };
        },
        UPDATED,
      ],
    });
    work({ api });
    await enqueue(report());
    await until('it waits for its next attempt, due in no time', () => events.length === 1);
    await sleep(QUIET_MS);
    expect(api.sent).toHaveLength(1);

    await queue.resume();
    await until('it is applied', isQuiet);
    expect(api.sent).toHaveLength(2);
  });

  test('is still paused, with its note, when Redis and workers have been started again', async () => {
    const own = await startOwnRedis();
    const { queue, enqueue, work } = await setupQueue(own.url);
    await enqueue(report());
    await queue.pause(NOTE);
    await own.stop();
    await own.start();
    const api = scriptedApi({});
    work({ api });
    await until('Redis is back', async () => (await queue.depth()).paused);
    await sleep(QUIET_MS);

    expect(api.sent).toEqual([]);
    expect(await queue.depth()).toMatchObject({ waiting: 1, pause: NOTE });
  });
});

describe('the note of a pause', () => {
  test('is the first one, of however many pause at once', async () => {
    const { queue } = await setupQueue();
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => queue.pause({ ...NOTE, by: `operator-${n}` })),
    );
    const first = results.findIndex(({ status }) => status === 'paused');
    expect(results.filter(({ status }) => status === 'paused')).toHaveLength(1);
    expect((await queue.depth()).pause?.by).toBe(`operator-${first}`);
    expect(await queue.pause({ ...NOTE, by: 'late' })).toMatchObject({
      status: 'already-paused',
      note: { by: `operator-${first}` },
    });
  });

  test('goes with the pause, and resuming what is not paused says so', async () => {
    const { queue } = await setupQueue();
    await queue.pause(NOTE);
    await queue.resume();
    expect(await queue.resume()).toEqual({ status: 'not-paused' });
    expect(await queue.depth()).toMatchObject({ paused: false });
    expect(await queue.depth()).not.toHaveProperty('pause');
  });

  test('is absent where another tool paused, and never that of an older pause', async () => {
    const { queue, foreign } = await setupQueue();
    await foreign.pause();
    expect(await queue.pause(NOTE)).toEqual({ status: 'already-paused' });
    expect(await queue.depth()).toMatchObject({ paused: true });
    expect(await queue.depth()).not.toHaveProperty('pause');
    expect(await queue.resume()).toEqual({ status: 'resumed' });

    await queue.pause(NOTE);
    await foreign.resume();
    expect(await queue.depth()).not.toHaveProperty('pause');
    expect(await queue.pause({ ...NOTE, by: 'bob' })).toEqual({ status: 'paused' });
    expect((await queue.depth()).pause?.by).toBe('bob');
  });

  test('may be broken, and the queue is still told to be paused', async () => {
    const { queue, redis, names } = await setupQueue();
    await queue.pause(NOTE);
    for (const text of ['{', 'null', '{"by":1}']) {
      await redis.set(`${names.prefix}:paused:${names.queue}`, text);
      expect(await queue.depth()).toMatchObject({ paused: true });
      expect(await queue.depth()).not.toHaveProperty('pause');
    }
  });
});
