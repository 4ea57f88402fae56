import { expect, test } from 'vitest';
import { openDeadLetters } from '../../src/adapters/bullmq/dead-letter-store.ts';
import { letterOf } from '../support/dead-letters.ts';
import { keyPrefix, redisClient, redisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';
import { endOf, startCli } from './run-cli.ts';

test('a worker keeps as many dead letters as it is told to, and logs each one that expires', async () => {
  const prefix = keyPrefix();
  const letters = openDeadLetters(redisClient(), { prefix, queue: 'reports' });
  for (let n = 0; n < 8; n += 1) {
    const dead_at = new Date(Date.now() - (n < 3 ? 3_600_000 : 60_000) + n).toISOString();
    await letters.add(letterOf(n, { dead_at }));
  }
  const env = {
    REDIS_URL: redisUrl(),
    KEY_PREFIX: prefix,
    ELASTICSEARCH_URL: 'http://127.0.0.1:9',
    SWEEP_INTERVAL_MS: '100',
    DEAD_LETTER_MAX_AGE_MS: '1800000',
    DEAD_LETTER_MAX_COUNT: '2',
    LOG_LEVEL: 'warn',
  };
  const worker = startCli(['work'], { env });
  const ended = endOf(worker);

  await until('it has written down what it did', async () => (await letters.audited(1)).length === 1);
  worker.kill('SIGTERM');
  const { code, stdout } = await ended;

  expect(code).toBe(0);
  const lines = stdout.split('\n').filter((line) => line.includes('dead letter expired'));
  expect(lines.map((line) => JSON.parse(line).why)).toEqual(['age', 'age', 'age', 'count', 'count', 'count']);
  expect((await letters.audited(9)).map(({ action, count }) => [action, count])).toEqual([['expire', 6]]);
  expect(await letters.count({})).toBe(2);
  expect((await letters.totals()).expired).toEqual({ sync_job_not_found: 6 });
});
