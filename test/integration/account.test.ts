import { Queue } from 'bullmq';
import { describe, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/adapters/observe/create-log.ts';
import { createApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { openRelay, type Relay } from '../../src/relay.ts';
import { startStandIn } from '../../src/stand-in/index.ts';
import { runCli, startCli } from '../support/built-cli.ts';
import { keyPrefix, redisClient, redisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';

const idsOf = (count: number, prefix = 'job'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
const reportOf = (id: string): object => ({ connector_sync_job_id: id, error: `error of ${id}` });

interface Setup {
  readonly env: Readonly<Record<string, string>>;
  readonly config: Config;
  readonly relay: Relay;
  isQuiet(): Promise<boolean>;
}

async function setup(syncJobs: readonly string[]): Promise<Setup> {
  const standIn = await startStandIn({
    syncJobs: syncJobs.map((id) => ({ id, connector_id: 'c', status: 'in_progress' })),
  });
  onTestFinished(() => standIn.stop());
  const env = { REDIS_URL: redisUrl(), KEY_PREFIX: keyPrefix(), ELASTICSEARCH_URL: standIn.url };
  const config = readConfig(env);
  const relay = openRelay(config);
  onTestFinished(() => relay.close());
  return {
    env,
    config,
    relay,
    async isQuiet() {
      const { waiting, active, delayed } = await relay.depth();
      return waiting + active + delayed === 0;
    },
  };
}

describe('the account', () => {
  test('is 0 for an empty queue, and stays so through bundles, repeats, dead letters and redrives', async () => {
    const known = idsOf(300);
    const { config, relay, isQuiet } = await setup(known);
    expect(await relay.account()).toEqual({ accepted: 0, redriven: 0, unaccounted: 0 });

    const many = [...known, ...known.slice(0, 10), ...idsOf(20, 'missing')].map(reportOf);
    await relay.reportMany([...many, { error: 'no id' }]);
    for (const id of idsOf(5, 'missing-too')) await relay.report(reportOf(id));
    await relay.reportMany([reportOf('job-0'), reportOf('missing-too-0')]);
    expect(await relay.account()).toEqual({ accepted: 325, redriven: 0, unaccounted: 0 });

    await using app = createApp(config, { log: silentLog });
    await app.start();
    await until('all is settled', isQuiet, 20_000);
    expect(await relay.account()).toEqual({ accepted: 325, redriven: 0, unaccounted: 0 });
    expect(await relay.deadLetters.counts()).toEqual({ sync_job_not_found: 25 });

    // The cause stands, so that they come back; what is taken away was counted before.
    await relay.deadLetters.redrive({}, { by: 'test', canary: 0, rate: 10_000, stopAfter: 1_000 });
    await until('all is settled again', isQuiet, 20_000);
    expect(await relay.account()).toEqual({ accepted: 325, redriven: 25, unaccounted: 0 });
    await relay.deadLetters.purge({}, 'test');
    expect((await relay.account()).unaccounted).toBe(0);
  });

  test('is 0 at every moment while workers are killed', async () => {
    const known = idsOf(3_000);
    const { env, relay, isQuiet } = await setup(known);
    const workerEnv = { ...env, LOCK_DURATION_MS: '1000', STALLED_INTERVAL_MS: '200', CONCURRENCY: '20' };
    const start = async () => {
      const worker = startCli(['work'], workerEnv);
      await worker.line('worker started');
      return worker;
    };
    const seen = new Set<number>();
    let isOver = false;
    const looking = (async () => {
      while (!isOver) seen.add((await relay.account()).unaccounted);
    })();
    const enqueued = relay.reportMany(known.map(reportOf));
    for (let kill = 0; kill < 3; kill++) {
      const worker = await start();
      await worker.line('report applied');
      await worker.end('SIGKILL');
    }
    for (const result of await enqueued) expect(result.status).toBe('queued');
    // As many alone as in bundles.
    for (const id of idsOf(50, 'missing')) await relay.report(reportOf(id));
    const last = await start();
    await until('all is settled', isQuiet, 30_000);
    isOver = true;
    await looking;
    await last.end('SIGTERM');
    expect([...seen]).toEqual([0]);
    expect(await relay.account()).toEqual({ accepted: 3_050, redriven: 0, unaccounted: 0 });
  }, 60_000);

  test('tells of reports that somebody takes out of the queue, alone or in a bundle', async () => {
    const { config, relay } = await setup([]);
    await relay.report(reportOf('a'));
    await relay.report(reportOf('b'));
    await relay.reportMany(idsOf(30).map(reportOf));
    const queue = new Queue('reports', { connection: redisClient(), prefix: config.names.prefix });
    onTestFinished(() => queue.close());
    const jobs = await queue.getWaiting();
    await jobs.find(({ name }) => name === 'report')?.remove();
    expect((await relay.account()).unaccounted).toBe(1);
    const redis = redisClient();
    const [bundled = ''] = await redis.hkeys(`${config.names.prefix}:bundled:reports`);
    await redis.hdel(`${config.names.prefix}:bundled:reports`, bundled);
    expect((await relay.account()).unaccounted).toBe(2);
  });

  test('falls below 0 by what other producers add', async () => {
    const { config, relay } = await setup([]);
    const queue = new Queue('reports', { connection: redisClient(), prefix: config.names.prefix });
    onTestFinished(() => queue.close());
    await queue.add('report', reportOf('foreign'));
    expect(await relay.account()).toEqual({ accepted: 0, redriven: 0, unaccounted: -1 });
  });

  test('is in the metrics and in status', async () => {
    const { env, relay } = await setup([]);
    await relay.report(reportOf('a'));
    await relay.reportMany(idsOf(3).map(reportOf));
    const redis = redisClient();
    await redis.hdel(
      `${env['KEY_PREFIX']}:bundled:reports`,
      ...(await redis.hkeys(`${env['KEY_PREFIX']}:bundled:reports`)),
    );
    const door = startCli(['serve'], { ...env, HTTP_PORT: '0' });
    const { address } = (await door.line('front door open')) as { readonly address: string };
    expect(await (await fetch(`${address}/metrics`)).text()).toMatch(
      /^sync_error_relay_reports_unaccounted 3$/m,
    );
    await door.end('SIGTERM');
    const json = await runCli(['status', '--json'], env);
    expect(JSON.parse(json.stdout)).toMatchObject({ accepted: 4, redriven: 0, unaccounted: 3 });
    expect((await runCli(['status'], env)).stdout).toMatch(/unaccounted +3 +gone without an end/);
  });
});
