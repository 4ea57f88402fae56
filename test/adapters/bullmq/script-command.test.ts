import { expect, onTestFinished, test } from 'vitest';
import { connectRedis, type OwnedRedis } from '../../../src/adapters/bullmq/connect-redis.ts';
import { keyPrefix, redisUrl, startOwnRedis } from '../../support/redis.ts';

type Scripted = OwnedRedis & Record<'remember' | 'varying', (...args: unknown[]) => Promise<unknown>>;

const REMEMBER = `
if ARGV[1] == 'fail' then return redis.error_reply('it was told to') end
redis.call('RPUSH', KEYS[1], ARGV[1])
return { ARGV[1], redis.call('LLEN', KEYS[1]), ARGV[2] or false }`;

function setup(url = redisUrl()): { readonly redis: Scripted; readonly key: string } {
  const redis = connectRedis(url, 'worker', () => undefined) as Scripted;
  onTestFinished(() => redis.release());
  redis.defineCommand('remember', { lua: REMEMBER, numberOfKeys: 1 });
  redis.defineCommand('varying', { lua: 'return { #KEYS, #ARGV }' });
  return { redis, key: keyPrefix() };
}

test('a script is called with its arguments one by one, or all in one list as BullMQ does', async () => {
  const { redis, key } = setup();
  expect(await redis.remember(key, 'one')).toEqual(['one', 1, null]);
  expect(await redis.remember([key, 'zwölf', Buffer.from('bytes')])).toEqual(['zwölf', 2, 'bytes']);
  expect(await redis.remember([key, 3, null])).toEqual(['3', 3, '']);
  expect(await redis.varying(2, 'a', 'b', 'c')).toEqual([2, 1]);
});

test('what a script refuses is an error of the call', async () => {
  const { redis, key } = setup();
  await expect(redis.remember(key, 'fail')).rejects.toThrow('it was told to');
});

test('a script that Redis has forgotten is sent again, and runs once', async () => {
  const own = await startOwnRedis();
  onTestFinished(() => own[Symbol.asyncDispose]());
  const { redis, key } = setup(own.url);
  await redis.remember(key, 'one');
  await redis.script('FLUSH');
  expect(await Promise.all([redis.remember(key, 'two'), redis.remember(key, 'three')])).toHaveLength(2);
  expect((await redis.lrange(key, 0, -1)).sort()).toEqual(['one', 'three', 'two']);
});

test('a script goes on over a new connection to a Redis that has lost it', async () => {
  const own = await startOwnRedis();
  onTestFinished(() => own[Symbol.asyncDispose]());
  const { redis, key } = setup(own.url);
  await redis.remember(key, 'one');
  await own.kill();
  const waiting = redis.remember(key, 'two');
  await own.start();
  expect(await waiting).toEqual(['two', 2, null]);
});

test('in a transaction it is a part of the transaction', async () => {
  const { redis, key } = setup();
  await redis.remember(key, 'one');
  const transaction = redis.multi() as unknown as Scripted & ReturnType<OwnedRedis['multi']>;
  void transaction.remember(key, 'two');
  transaction.llen(key);
  expect(await transaction.exec()).toEqual([
    [null, ['two', 2, null]],
    [null, 2],
  ]);
});
