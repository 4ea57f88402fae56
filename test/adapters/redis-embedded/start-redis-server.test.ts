import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findBinary } from '../../../src/adapters/redis-embedded/find-binary.ts';
import {
  type StartedRedisServer,
  type StartRedisServerOptions,
  startRedisServer,
} from '../../../src/adapters/redis-embedded/start-redis-server.ts';
import { configOf, ping, withRedis } from './ask-redis.ts';

it('answers on a loopback port and says what it is', async () => {
  const server = await start({ appendOnly: false });
  expect(await ping(server.url)).toBe('PONG');
  expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
  expect(server.description).toMatch(/^(redis|valkey)-server \d+\.\d+\.\d+ on port \d+$/);
  expect(await configOf(server.url, 'bind')).toBe('127.0.0.1');
});

it('has the settings that a queue stands on', async () => {
  const server = await start({ appendOnly: true });
  expect(await configOf(server.url, 'maxmemory-policy')).toBe('noeviction');
  expect(await configOf(server.url, 'save')).toBe('');
  expect(await configOf(server.url, 'appendonly')).toBe('yes');
  expect(await configOf(server.url, 'appendfsync')).toBe('everysec');
});

it('has another eviction policy, and no append-only file, where that is asked for', async () => {
  const server = await start({ appendOnly: false, maxMemoryPolicy: 'allkeys-lru' });
  expect(await configOf(server.url, 'maxmemory-policy')).toBe('allkeys-lru');
  expect(await configOf(server.url, 'appendonly')).toBe('no');
});

it('has every acknowledged write again after SIGKILL, on the same port and files', async () => {
  const dataDir = await temporaryFolder();
  const first = await start({ appendOnly: true, dataDir });
  await withRedis(first.url, async (client) => {
    for (let index = 0; index < 1_000; index++) await client.rpush('acknowledged', index);
  });
  process.kill(first.pid, 'SIGKILL');
  await first.stop();

  const second = await start({ appendOnly: true, dataDir, port: first.port });

  expect(second.url).toBe(first.url);
  expect(second.pid).not.toBe(first.pid);
  expect(await withRedis(second.url, (client) => client.llen('acknowledged'))).toBe(1_000);
});

it('leaves neither folder nor process when it has stopped', async () => {
  const server = await start({ appendOnly: true });
  const folder = await configOf(server.url, 'dir');
  expect(existsSync(folder)).toBe(true);
  const group = guardOf(server.pid);

  await server.stop();

  expect(existsSync(folder)).toBe(false);
  expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
  // The guard leads a group of its own: once that is empty there is no shell left either.
  if (group !== undefined) expect(() => process.kill(-group, 0)).toThrow('ESRCH');
  await expect(ping(server.url)).rejects.toThrow();
});

it('keeps the folder that it was given', async () => {
  const dataDir = await temporaryFolder();
  const server = await start({ appendOnly: true, dataDir });
  await server.stop();
  expect(existsSync(join(dataDir, 'appendonlydir'))).toBe(true);
});

it('may be stopped twice, at once and again, and after it ended by itself', async () => {
  const server = await start({ appendOnly: false });
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();

  const killed = await start({ appendOnly: false });
  process.kill(killed.pid, 'SIGKILL');
  await killed.stop();
  await expect(ping(killed.url)).rejects.toThrow();
});

it('starts many at once, each on a port of its own', async () => {
  const servers = await Promise.all(Array.from({ length: 4 }, () => start({ appendOnly: false })));
  expect(new Set(servers.map(({ port }) => port)).size).toBe(4);
  expect(await Promise.all(servers.map(({ url }) => ping(url)))).toEqual(Array(4).fill('PONG'));
});

it('does not pass off another server on the wanted port as its own', async () => {
  const other = await start({ appendOnly: false });
  await expect(start({ appendOnly: false, port: other.port })).rejects.toThrow(/address already in use/i);
  expect(await ping(other.url)).toBe('PONG');
});

it('says what the server said where it does not start', async () => {
  await expect(start({ appendOnly: false, binary: '/bin/false' })).rejects.toThrow(
    /^\/bin\/false did not start/,
  );
});

async function start(options: Partial<StartRedisServerOptions>): Promise<StartedRedisServer> {
  const binary = findBinary(['redis-server', 'valkey-server'], process.env['PATH']) ?? 'no server on PATH';
  const server = await startRedisServer({ binary, appendOnly: false, ...options });
  onTestFinished(() => server.stop());
  return server;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sync-error-relay-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The parent of a process, where the system tells. */
function guardOf(pid: number): number | undefined {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) ? Number(readFileSync(stat, 'utf8').split(') ')[1]?.split(' ')[1]) : undefined;
}
