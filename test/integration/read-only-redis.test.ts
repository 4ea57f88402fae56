import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/adapters/observe/create-log.ts';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { openRelay } from '../../src/relay.ts';
import { startStandIn } from '../../src/stand-in/index.ts';
import { startOwnRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';

test('a worker is not stuck while Redis is a replica, and goes on once it is a primary again', async () => {
  const own = await startOwnRedis();
  const operator = new Redis(own.url);
  onTestFinished(() => operator.disconnect());
  const standIn = await startStandIn();
  onTestFinished(() => standIn.stop());
  const config = readConfig({
    REDIS_URL: own.url,
    ELASTICSEARCH_URL: standIn.url,
    STUCK_AFTER_MS: '1000',
    CONCURRENCY: '1',
    MAX_CONCURRENCY: '1',
  });
  const app = createApp(config, { log: silentLog });
  onTestFinished(async () => {
    await app.stop();
  });
  const relay = openRelay(config);
  onTestFinished(() => relay.close());
  await app.start();
  let isStuck = false;
  void app.stuck.then(() => {
    isStuck = true;
  });
  // One at a time and slowly, so that reports wait when Redis becomes a replica.
  standIn.faults.add({ kind: 'latency', latency: { distribution: 'fixed', ms: 300 } });
  const ids = ['a', 'b', 'c'];
  for (const id of ids) {
    standIn.putSyncJob({ id, connector_id: 'c', status: 'in_progress' });
    await relay.report({ connector_sync_job_id: id, error: 'TimeoutError' });
  }
  await operator.replicaof('127.0.0.1', 1);
  expect((await relay.depth()).waiting).toBeGreaterThan(0);
  // The watchdog looks every five seconds: twice is what it takes to find a worker stuck.
  await sleep(12_000);

  expect(isStuck).toBe(false);
  await operator.replicaof('NO', 'ONE');
  await until('all are applied', () => ids.every((id) => standIn.syncJob(id)?.status === 'error'), 20_000);
});
