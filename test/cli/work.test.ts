import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { endOf, NO_REDIS, runCli, startCli } from './run-cli.ts';

/** An address where somebody accepts requests and never answers. */
async function silentServer(): Promise<{
  readonly url: string;
  readonly port: number;
  asked: Promise<unknown>;
}> {
  const server = createServer();
  const asked = once(server, 'request');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, asked };
}

/** The first line of the log that says this. */
async function logged(
  child: ChildProcessWithoutNullStreams,
  message: string,
): Promise<Record<string, unknown>> {
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry['msg'] === message) return entry;
  }
  throw new Error(`the log ended without "${message}"`);
}

const environment = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  REDIS_URL: redisUrl(),
  KEY_PREFIX: keyPrefix(),
  ELASTICSEARCH_URL: 'http://127.0.0.1:9',
  ...more,
});

describe('work', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('serves its health and ends with 0 at a %s', async (signal) => {
    const child = startCli(['work'], { env: environment({ HTTP_PORT: '0' }) });
    const { address } = await logged(child, 'worker started');
    const livez = await fetch(`${address}/livez`);
    expect(livez.status).toBe(200);
    await livez.text();
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('ends with 0 at a signal while it still waits for Redis', async () => {
    const child = startCli(['work'], { env: { REDIS_URL: NO_REDIS } });
    expect(await logged(child, 'redis is away')).toMatchObject({ level: 'warn' });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('ends at once at a second signal, whatever is under way', async () => {
    const { url, asked } = await silentServer();
    const env = environment({ ELASTICSEARCH_URL: url, SHUTDOWN_GRACE_MS: '600000' });
    expect(await runCli(['report', 'a', 'b'], { env })).toMatchObject({ code: 0 });
    const child = startCli(['work'], { env });
    const exited = once(child, 'exit');
    await asked;
    child.kill('SIGTERM');
    // A signal that comes within a moment is taken for an echo of the first.
    const again = setInterval(() => child.kill('SIGINT'), 100);
    onTestFinished(() => clearInterval(again));
    expect(await exited).toEqual([130, null]);
  });

  test('hands back what it cannot finish in time, and ends by itself', async () => {
    const { url, asked } = await silentServer();
    const env = environment({ ELASTICSEARCH_URL: url, SHUTDOWN_GRACE_MS: '100' });
    await runCli(['report', 'a', 'b'], { env });
    const child = startCli(['work'], { env });
    const ended = endOf(child);
    await asked;
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, signal: null });
    const { stdout } = await runCli(['status', '--json'], { env });
    expect(JSON.parse(stdout)).toMatchObject({ waiting: 1, active: 0 });
  });

  test('says in one line that its port is in use', async () => {
    const { port } = await silentServer();
    const { code, stderr } = await runCli(['work'], { env: environment({ HTTP_PORT: String(port) }) });
    expect(code).toBe(78);
    expect(stderr).toBe(
      `error: HTTP_HOST and HTTP_PORT: expected an address to listen on, got 127.0.0.1:${port}, which is in use\n`,
    );
  });
});
