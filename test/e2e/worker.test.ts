import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startStandIn } from '../../src/stand-in/index.ts';
import { runCli, startCli } from '../support/built-cli.ts';
import { keyPrefix, redisUrl, startOwnRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';

async function setup() {
  const prefix = keyPrefix();
  const standIn = await startStandIn({
    syncJobs: [{ id: 'running', connector_id: 'c', status: 'in_progress' }],
  });
  onTestFinished(() => standIn.stop());
  return {
    standIn,
    env: { REDIS_URL: redisUrl(), ELASTICSEARCH_URL: standIn.url, KEY_PREFIX: prefix, HTTP_PORT: '0' },
  };
}

describe('from the command line to Elasticsearch', () => {
  test('a report is applied, another becomes a dead letter on the screen', async () => {
    const { env, standIn } = await setup();
    const worker = startCli(['work'], env);
    await worker.line('worker started');

    expect((await runCli(['report', 'running', 'TimeoutError'], env)).code).toBe(0);
    expect((await runCli(['report', 'unknown', 'TimeoutError'], env)).code).toBe(0);
    const applied = await worker.line('report applied');
    const dead = await worker.line('report is a dead letter');

    expect(applied).toMatchObject({
      level: 'info',
      code: 'applied',
      attempt: 1,
      connector_sync_job_id: 'running',
    });
    expect(applied).toHaveProperty('duration_ms');
    expect(dead).toMatchObject({ level: 'warn', code: 'sync_job_not_found', status: 404 });
    expect(standIn.syncJob('running')).toMatchObject({ status: 'error', error: 'TimeoutError' });
    const list = await runCli(['dead-letters', 'list', '--json'], env);
    const { total, dead_letters: letters } = JSON.parse(list.stdout) as {
      total: number;
      dead_letters: { id: string }[];
    };
    expect(total).toBe(1);
    const show = await runCli(['dead-letters', 'show', letters[0]?.id ?? ''], env);
    expect(show.stdout).toContain('sync_job_not_found');
    expect(show.stdout).toContain('unknown');
    expect(await worker.end('SIGTERM')).toBe(0);
  });

  test('no error text and no secret is in the log', async () => {
    const { env } = await setup();
    const secret = 'c2VjcmV0LWFwaS1rZXk6dmVyeS1zZWNyZXQ=';
    const worker = startCli(['work'], { ...env, ELASTICSEARCH_API_KEY: secret, LOG_LEVEL: 'trace' });
    await worker.line('worker started');
    await runCli(['report', 'unknown', 'a text that nobody but Elasticsearch should read'], env);
    await worker.line('report is a dead letter');
    await worker.end('SIGTERM');

    const log = JSON.stringify(worker.lines);
    expect(log).not.toContain(secret);
    expect(log).not.toContain('nobody but Elasticsearch');
  });
});

describe('health', () => {
  test('is ready where everything answers, and says what does not', async () => {
    const { env, standIn } = await setup();
    const worker = startCli(['work'], env);
    const { address } = (await worker.line('worker started')) as { address: string };

    expect(await (await fetch(`${address}/livez`)).json()).toEqual({ status: 'alive' });
    const ready = await fetch(`${address}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ ready: true, reasons: {} });

    await standIn.stop();
    const unready = await fetch(`${address}/readyz`);
    expect(unready.status).toBe(503);
    expect(await unready.json()).toMatchObject({
      ready: false,
      reasons: { elasticsearch: expect.any(String) },
    });
    expect((await fetch(`${address}/livez`)).status).toBe(200);
    expect(await worker.end('SIGTERM')).toBe(0);
  });

  test('is not ready while Redis is away, and ready when it is there', async () => {
    const own = await startOwnRedis();
    const { env } = await setup();
    await own.stop();
    const worker = startCli(['work'], { ...env, REDIS_URL: own.url });
    const { address } = (await worker.line('health endpoints listen')) as { address: string };

    const unready = await fetch(`${address}/readyz`);
    expect(unready.status).toBe(503);
    expect(await unready.json()).toMatchObject({ reasons: { redis: expect.any(String) } });

    await own.start();
    await until('it is ready', async () => (await fetch(`${address}/readyz`)).status === 200);
    expect(await worker.end('SIGTERM')).toBe(0);
  });
});

describe('a worker that is asked to stop', () => {
  test('ends with 0 although Redis was never there', async () => {
    const { env } = await setup();
    const worker = startCli(['work'], { ...env, REDIS_URL: 'redis://127.0.0.1:1' });
    await worker.line('redis is away');

    expect(await worker.end('SIGTERM')).toBe(0);
  });

  test.each([
    ['has gone', 'SIGKILL'],
    ['hangs', 'SIGSTOP'],
  ] as const)('ends in time although Redis %s', async (_, signal) => {
    const own = await startOwnRedis();
    const { env } = await setup();
    const worker = startCli(['work'], {
      ...env,
      REDIS_URL: own.url,
      SHUTDOWN_GRACE_MS: '300',
      SWEEP_INTERVAL_MS: '100',
    });
    await worker.line('worker started');
    process.kill(own.pid, signal);
    // Long enough for sweep, watchdog and gate to have asked Redis in vain.
    await sleep(1_000);
    const startedAt = performance.now();

    const code = await worker.end('SIGTERM');

    expect(code).not.toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(7_000);
    if (signal === 'SIGSTOP') process.kill(own.pid, 'SIGCONT');
  });

  test('hands back what hangs after the grace time', async () => {
    const { env } = await setup();
    const blackhole = createServer(() => undefined);
    await new Promise<void>((resolve) => blackhole.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      blackhole.closeAllConnections();
      blackhole.close();
    });
    const { port } = blackhole.address() as AddressInfo;
    const worker = startCli(['work'], {
      ...env,
      ELASTICSEARCH_URL: `http://127.0.0.1:${port}`,
      SHUTDOWN_GRACE_MS: '200',
    });
    await worker.line('worker started');
    await runCli(['report', 'running', 'TimeoutError'], env);
    const active = async (): Promise<boolean> => {
      const { stdout } = await runCli(['status', '--json'], env);
      return (JSON.parse(stdout) as { active: number }).active === 1;
    };
    await until('it is under way', active);
    const startedAt = performance.now();

    expect(await worker.end('SIGTERM')).toBe(0);

    expect(performance.now() - startedAt).toBeLessThan(2_500);
    const { stdout } = await runCli(['status', '--json'], env);
    expect(JSON.parse(stdout)).toMatchObject({ waiting: 1, active: 0, delayed: 0 });
  });
});

test('a Redis that drops keys is refused with what to do, by worker and producer alike', async () => {
  const own = await startOwnRedis({ maxMemoryPolicy: 'volatile-lru' });
  const { env } = await setup();

  for (const command of [['work'], ['report', 'a', 'x']]) {
    const { code, stderr } = await runCli(command, { ...env, REDIS_URL: own.url });
    expect(code).toBe(78);
    expect(stderr).toMatch(/volatile-lru/);
    expect(stderr).toMatch(/noeviction/);
  }
});
