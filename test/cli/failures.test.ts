import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { keyPrefix, redisUrl, startOwnRedis } from '../support/redis.ts';
import { NO_REDIS, newFolder, runCli } from './run-cli.ts';

describe('where Redis is not there', () => {
  test.each([
    [['status']],
    [['report', 'a', 'b']],
    [['dead-letters', 'list']],
    [['dead-letters', 'show', 'd-r-x']],
  ])('%j ends with 69 and one line without the password', async (args) => {
    expect(await runCli(args)).toMatchObject({
      code: 69,
      stdout: '',
      stderr: expect.stringMatching(/^error: Redis at 127\.0\.0\.1:9 does not answer: .*ECONNREFUSED.*\n$/),
    });
  });

  test('a file is told how much of it was accepted, and that it may be repeated', async () => {
    const input = '{"connector_sync_job_id":"a","error":"b"}\n';
    const { code, stderr } = await runCli(['report', '--file', '-'], { input });
    expect(code).toBe(69);
    expect(stderr).toContain('Accepted before: 0 queued, 0 duplicate');
    expect(stderr).toContain('Repeating the whole file is harmless.');
  });

  test('with --json the figures until then are printed all the same', async () => {
    const input = 'x\n{"connector_sync_job_id":"a","error":"b"}\n';
    const { code, stdout, stderr } = await runCli(['report', '--file', '-', '--json'], { input });
    expect(code).toBe(69);
    expect(JSON.parse(stdout)).toMatchObject({ queued: 0, error: expect.stringMatching(/^Redis at/) });
    expect(stderr).toMatch(/^error: Redis at/);
  });
});

describe('where the configuration is wrong', () => {
  test('every problem is a line on standard error, and the exit code is 78', async () => {
    const env = { REDIS_URL: 'http://user:hunter2@host', CONCURRENCY: 'many\x1b[31m' };
    for (const args of [['status'], ['work'], ['report', 'a', 'b', '--dry-run']]) {
      const { code, stdout, stderr } = await runCli(args, { env });
      expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
      expect(stderr.split('\n')).toEqual([
        expect.stringMatching(/^REDIS_URL: expected a URL that begins with redis:/),
        'CONCURRENCY: expected a whole number of attempts from 1 to 1000, got "many\\u001b[31m"',
        '',
      ]);
      expect(stderr).not.toContain('hunter2');
    }
  });

  test('Elasticsearch options that make no sense are no fault of ours', async () => {
    const env = { REDIS_URL: redisUrl(), LOG_LEVEL: 'silent', ELASTICSEARCH_API_KEY: 'id:hunter2' };
    expect(await runCli(['work'], { env })).toMatchObject({
      code: 78,
      stderr: 'error: API key: expected its "encoded" form, one word of base64 without ":" and spaces\n',
    });
  });

  test('a Redis that drops keys is refused', async () => {
    await using redis = await startOwnRedis({ maxMemoryPolicy: 'allkeys-lru' });
    for (const args of [['status'], ['work']]) {
      const { code, stderr } = await runCli(args, { env: { REDIS_URL: redis.url, LOG_LEVEL: 'silent' } });
      expect(code).toBe(78);
      expect(stderr).toContain('error: this Redis cannot be used.\n');
      expect(stderr).toContain('maxmemory-policy is allkeys-lru');
      expect(stderr).not.toMatch(/^\s+at /m);
    }
  });
});

describe('.env in the working directory', () => {
  function folderWith(content: string): string {
    const cwd = newFolder();
    writeFileSync(join(cwd, '.env'), content);
    return cwd;
  }

  test('is read', async () => {
    const { stderr } = await runCli(['status'], { cwd: folderWith('LOG_LEVEL=loud\n') });
    expect(stderr).toMatch(/^LOG_LEVEL: expected/);
  });

  test('gives way to the environment', async () => {
    const cwd = folderWith(`REDIS_URL=${NO_REDIS}\n`);
    const env = { REDIS_URL: redisUrl(), KEY_PREFIX: keyPrefix() };
    expect(await runCli(['status'], { cwd, env })).toMatchObject({ code: 0 });
  });
});
