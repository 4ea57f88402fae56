import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/adapters/observe/create-log.ts';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { openRelay } from '../../src/relay.ts';
import { startStandIn } from '../../src/stand-in/index.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';

/** A way to Redis on which connections can fall silent, as behind a firewall that has forgotten them. */
async function openWay(): Promise<{ readonly url: string; connections(): number; silence(): void }> {
  const { hostname, port } = new URL(redisUrl());
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.pipe(upstream).pipe(client);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    server.close();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => pairs.size,
    silence() {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream);
        upstream.unpipe(client);
      }
    },
  };
}

test('a worker whose connections to Redis have died without a word connects anew and goes on', async () => {
  const way = await openWay();
  const standIn = await startStandIn();
  onTestFinished(() => standIn.stop());
  const settings = { KEY_PREFIX: keyPrefix(), ELASTICSEARCH_URL: standIn.url, REDIS_SILENCE_MS: '300' };
  const app = createApp(readConfig({ ...settings, REDIS_URL: way.url }), { log: silentLog });
  onTestFinished(async () => {
    await app.stop();
  });
  const relay = openRelay(readConfig({ ...settings, REDIS_URL: redisUrl() }));
  onTestFinished(() => relay.close());
  await app.start();
  standIn.putSyncJob({ id: 'a', connector_id: 'c', status: 'in_progress' });

  await until('the worker has both its connections', () => way.connections() === 2);
  way.silence();
  await relay.report({ connector_sync_job_id: 'a', error: 'x' });

  await until('the report is applied', () => standIn.syncJob('a')?.error === 'x', 15_000);
});
