/**
 * DURABILITY=fsync. The Redis at hand may be older than WAITAOF, so it is played: every other command goes to the
 * real one.
 */
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RedisUnsuitable } from '../../../src/adapters/bullmq/check-redis.ts';
import { RedisUnavailable } from '../../../src/adapters/bullmq/connect-redis.ts';
import { readConfig } from '../../../src/config.ts';
import { openRelay, type Relay } from '../../../src/relay.ts';
import { report } from '../../support/queue-setup.ts';
import { keyPrefix, redisUrl, startOwnRedis } from '../../support/redis.ts';
import { answering, type Rewrite, rewritingRedis, type ScriptedRedis } from '../../support/scripted-redis.ts';
import { until } from '../../support/wait.ts';

const CONFIRMED = answering('{1, 0}');
const NOT_YET = answering('{0, 0}');
const policy = (name: string) => answering(`{'appendfsync', '${name}'}`);
const refusal = (message: string) => answering(`redis.error_reply("${message}")`);

interface Setup {
  readonly relay: Relay;
  readonly redis: ScriptedRedis;
  /** The same queue, seen past the played Redis. */
  readonly observer: Relay;
}

/** A relay that asks for the disk, on a Redis whose WAITAOF says what the test wants. */
async function setup(
  waitAof: Rewrite = () => CONFIRMED,
  env: Readonly<Record<string, string>> = {},
  configGet: readonly string[] = policy('always'),
): Promise<Setup> {
  const KEY_PREFIX = keyPrefix();
  const redis = await rewritingRedis(redisUrl(), (command) => {
    if (command[0] === 'WAITAOF') return waitAof(command);
    return command[0] === 'CONFIG' ? configGet : command;
  });
  const open = (settings: Readonly<Record<string, string>>): Relay => {
    const relay = openRelay(readConfig({ KEY_PREFIX, ...settings }));
    onTestFinished(() => relay.close());
    return relay;
  };
  return {
    relay: open({ REDIS_URL: redis.url, DURABILITY: 'fsync', ...env }),
    redis,
    observer: open({ REDIS_URL: redisUrl() }),
  };
}

const questions = ({ commands }: ScriptedRedis) => commands.filter(([name]) => name === 'WAITAOF');

/** The first question is the one whether Redis can be asked at all; the others are about reports. */
function afterTheFirst(answer: Rewrite): Rewrite {
  let asked = 0;
  return (command) => (asked++ === 0 ? CONFIRMED : answer(command));
}

describe('a report with DURABILITY=fsync', () => {
  test('is acknowledged only when Redis says that it is on disk', async () => {
    const written = Promise.withResolvers<readonly string[]>();
    const { relay, redis, observer } = await setup(afterTheFirst(() => written.promise));
    let isAcknowledged = false;
    const result = relay.report(report()).finally(() => {
      isAcknowledged = true;
    });
    await until('the question is there', () => questions(redis).length === 2);

    expect(await observer.depth()).toMatchObject({ waiting: 1 });
    expect(isAcknowledged).toBe(false);
    written.resolve(CONFIRMED);
    expect(await result).toMatchObject({ status: 'queued' });
    // One local copy, no replica, and an answer before the client gives up.
    expect(questions(redis)[1]).toEqual(['WAITAOF', '1', '0', '800']);
  });

  test('that is not on disk in time is of unknown fate, and repeating it is harmless', async () => {
    let answer = NOT_YET;
    const { relay, redis, observer } = await setup(afterTheFirst(() => answer));

    const failure = await relay.report(report()).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(RedisUnavailable);
    expect((failure as Error).message).toBe(
      `Redis at 127.0.0.1:${redis.port} has not written to its disk within 800 ms; whether the report was accepted is unknown; repeating the call is harmless`,
    );
    answer = CONFIRMED;
    expect(await relay.report(report())).toMatchObject({ status: 'duplicate' });
    expect(await observer.depth()).toMatchObject({ waiting: 1 });
  });

  test('is not acknowledged by another connection than the one it was written on', async () => {
    // A Redis that crashed and came back has lost it, and confirms at once that nothing is left to write.
    let isDropped = false;
    const { relay, redis } = await setup(
      afterTheFirst(() => {
        if (!isDropped) redis.drop();
        isDropped = true;
        return CONFIRMED;
      }),
    );

    const failure = await relay.report(report()).catch((error: unknown) => error);

    expect((failure as Error).message).toContain('whether the report was accepted is unknown');
    expect(questions(redis).length).toBeGreaterThan(2);
    await until('the next one is confirmed', () =>
      relay.report(report()).then(
        ({ status }) => status === 'duplicate',
        () => false,
      ),
    );
  });

  test('shares the wait for the disk with those that are enqueued at the same time', async () => {
    const { relay, redis } = await setup();
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => relay.report(report(`job-${n}`))));
    expect(results.every(({ status }) => status === 'queued')).toBe(true);
    expect(questions(redis).length).toBeLessThan(10);
  });

  test('is of unknown fate where Redis can no longer say', async () => {
    const { relay } = await setup(
      afterTheFirst(() =>
        refusal('ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.'),
      ),
    );
    await expect(relay.report(report())).rejects.toThrow(
      /cannot say whether it has written to its disk: .*appendonly is disabled.*accepted is unknown/,
    );
  });
});

test('without it nobody asks for the disk', async () => {
  const { relay, redis } = await setup(() => CONFIRMED, { DURABILITY: 'memory' });
  expect(await relay.report(report())).toMatchObject({ status: 'queued' });
  expect(questions(redis)).toEqual([]);
});

describe('a Redis that cannot do it is refused before the first report', () => {
  const NO_AOF = 'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.';
  test.each<[string, readonly string[], RegExp, (readonly string[])?]>([
    [
      'without WAITAOF',
      refusal("ERR unknown command 'WAITAOF', with args beginning with: '1' '0' '1'"),
      /DURABILITY=fsync needs Redis 7\.2 or newer, which has WAITAOF; this one is \d+\.\d+\.\d+\. Set it to memory/,
    ],
    [
      'without an append-only file',
      refusal(NO_AOF),
      /needs the append-only file, which is off.*config set appendonly yes/,
    ],
    [
      'that is a replica',
      refusal('ERR WAITAOF cannot be used with replica instances.'),
      /needs a primary; this Redis is a replica/,
    ],
    [
      'that lets this user not',
      refusal("NOPERM this user has no permissions to run the 'waitaof' command"),
      /needs WAITAOF, which this Redis \(.*\) refuses: .*NOPERM/,
    ],
    [
      'that leaves writing to the operating system',
      CONFIRMED,
      /with appendfsync no it leaves that to the operating system/,
      policy('no'),
    ],
    [
      'that writes each second, where producers wait no longer than that',
      CONFIRMED,
      /ENQUEUE_TIMEOUT_MS is 1000\. Set it to 2500 or more, or appendfsync to always/,
      policy('everysec'),
    ],
  ])('one %s', async (_what, waitAof, message, configGet) => {
    const { relay, observer } = await setup(() => waitAof, {}, configGet);
    await expect(relay.check()).rejects.toThrow(RedisUnsuitable);
    await expect(relay.report(report())).rejects.toThrow(message);
    expect(await observer.depth()).toMatchObject({ waiting: 0 });
  });

  test('but not one that writes each second, where producers wait for it', async () => {
    const { relay } = await setup(() => CONFIRMED, { ENQUEUE_TIMEOUT_MS: '2500' }, policy('everysec'));
    expect(await relay.report(report())).toMatchObject({ status: 'queued' });
  });

  test('nor one that does not show its settings', async () => {
    const { relay } = await setup(() => CONFIRMED, {}, refusal('NOPERM no'));
    expect(await relay.report(report())).toMatchObject({ status: 'queued' });
  });
});

test('the real Redis of this machine either confirms or is refused for its age', async () => {
  const own = await startOwnRedis();
  const operator = new Redis(own.url);
  await operator.config('SET', 'appendfsync', 'always');
  const [, major = 0, minor = 0] = (/redis_version:(\d+)\.(\d+)/.exec(await operator.info()) ?? []).map(
    Number,
  );
  operator.disconnect();
  const relay = openRelay(readConfig({ REDIS_URL: own.url, DURABILITY: 'fsync' }));
  onTestFinished(() => relay.close());

  const result = await relay.report(report()).then(
    ({ status }) => status,
    (error: unknown) => (error as Error).message,
  );

  const isNewEnough = major > 7 || (major === 7 && minor >= 2);
  expect(result).toMatch(isNewEnough ? /^queued$/ : /needs Redis 7\.2 or newer/);
});
