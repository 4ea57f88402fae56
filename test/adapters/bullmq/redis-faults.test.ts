import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkRedis, RedisUnsuitable } from '../../../src/adapters/bullmq/check-redis.ts';
import { connectRedis } from '../../../src/adapters/bullmq/connect-redis.ts';
import type { Answer } from '../../../src/domain/answer.ts';
import { report, setupQueue } from '../../support/queue-setup.ts';
import { startOwnRedis } from '../../support/redis.ts';
import { scriptedApi, UPDATED } from '../../support/scripted-api.ts';
import { until } from '../../support/wait.ts';

/** A server that takes its time, so that Redis can fail in mid-attempt. */
const slowly = (ms: number) => async (): Promise<Answer> => {
  await sleep(ms);
  return UPDATED;
};

describe('a worker whose Redis', () => {
  test('is a replica for a while goes on without doing anything twice', async () => {
    const own = await startOwnRedis();
    const { enqueue, work, events, isQuiet } = await setupQueue(own.url);
    const operator = new Redis(own.url);
    onTestFinished(() => operator.disconnect());
    await enqueue(...Array.from({ length: 20 }, (_, n) => report(`job-${n}`)));
    const api = scriptedApi({ puts: [slowly(300)] });
    work({ api, worker: { lockDurationMs: 10_000 } });
    await until('attempts are under way', () => api.sent.length > 0);

    await operator.replicaof('127.0.0.1', '1');
    await sleep(1_500);
    await operator.replicaof('NO', 'ONE');

    await until('all are applied', async () => (await isQuiet()) && events.length === 20, 15_000);
    expect(api.sent).toHaveLength(20);
    expect(events.every(({ result }) => result.outcome.kind === 'applied')).toBe(true);
  });

  test('restarts in mid-attempt loses nothing and goes on by itself', async () => {
    const own = await startOwnRedis();
    const { enqueue, work, events, isQuiet } = await setupQueue(own.url);
    await enqueue(...Array.from({ length: 30 }, (_, n) => report(`job-${n}`)));
    await sleep(1_100); // everysec: what was acknowledged is on disk by now
    const api = scriptedApi({ puts: [slowly(100)] });
    work({ api, worker: { lockDurationMs: 5_000 } });
    await until('attempts are under way', () => api.sent.length > 5);

    await own.kill();
    await sleep(500);
    await own.start();

    await until('all are settled', async () => (await isQuiet()) && events.length >= 30, 20_000);
    expect(new Set(api.sent.map(({ id }) => id)).size).toBe(30);
  }, 30_000);
});

describe('a Redis that is not fit for it', () => {
  test('is refused where it drops keys when its memory is full, with what to do', async () => {
    const own = await startOwnRedis({ maxMemoryPolicy: 'allkeys-lru' });
    const redis = connectRedis(own.url, 'producer', () => undefined);
    onTestFinished(() => redis.release());

    const check = checkRedis(redis);

    await expect(check).rejects.toThrow(RedisUnsuitable);
    await expect(check).rejects.toThrow(/allkeys-lru.*config set maxmemory-policy noeviction/s);
  });

  test('is accepted once it keeps them', async () => {
    const own = await startOwnRedis();
    const redis = connectRedis(own.url, 'producer', () => undefined);
    onTestFinished(() => redis.release());

    expect(await checkRedis(redis)).toMatchObject({ evictionPolicy: 'noeviction' });
  });
});
