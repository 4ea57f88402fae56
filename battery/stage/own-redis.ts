import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { findBinary } from '../../src/adapters/redis-embedded/find-binary.ts';
import { type GuardedProcess, startGuarded } from '../../src/adapters/redis-embedded/guarded-process.ts';
import { makeOwnFolder } from './own-folder.ts';

/** A Redis of the battery's own, with a password and an append-only file, that may be stopped, killed and started again. */
export interface OwnRedis extends AsyncDisposable {
  readonly port: number;
  /** The Unix socket on which it listens, too. */
  readonly socketPath: string;
  readonly password: string;
  /** A client straight to it, past every proxy; it waits while the server is away. */
  readonly client: Redis;
  /** Ends it with the signal; resolves when it is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again on the same port and files. */
  start(): Promise<void>;
}

const START_DEADLINE_MS = 10_000;
const STOP_GRACE_MS = 5_000;
const PORTS_TO_TRY = 20;

/**
 * Starts it.
 *
 * @throws {Error} where neither redis-server nor valkey-server is on PATH: what is killed must be ours to kill
 */
export async function startOwnRedis(password: string): Promise<OwnRedis> {
  const path = process.env['PATH'];
  const binary = findBinary(['redis-server', 'valkey-server'], path);
  if (binary === undefined) throw new Error('the battery kills its Redis, so it needs redis-server on PATH');
  const folder = await makeOwnFolder();
  const socketPath = join(folder.path, 'redis.sock');
  const startOn = (port: number): Promise<GuardedProcess> =>
    startGuarded({
      binary,
      arguments: [
        ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder.path, '--loglevel', 'warning'],
        ...['--unixsocket', socketPath],
        ...['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'],
        ...['--maxmemory-policy', 'noeviction', '--requirepass', password],
      ],
      folder: folder.path,
      removeFolder: false,
      graceMs: STOP_GRACE_MS,
      path,
    });

  let port = 0;
  let server: GuardedProcess | undefined;
  for (let left = PORTS_TO_TRY; server === undefined; left -= 1) {
    port = randomInt(10_240, 30_000);
    const candidate = await startOn(port);
    if (await answers(port, password, candidate)) server = candidate;
    else await candidate.stop();
    if (left === 0) throw new Error('no Redis could be started');
  }
  let current = server;

  const client = new Redis({ host: '127.0.0.1', port, password, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  return {
    port,
    socketPath,
    password,
    client,
    async end(signal) {
      process.kill(current.pid, signal);
      await current.stop();
    },
    async start() {
      current = await startOn(port);
      if (!(await answers(port, password, current))) {
        throw new Error(`Redis did not come back on port ${port}`);
      }
    },
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await current.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function answers(port: number, password: string, server: GuardedProcess): Promise<boolean> {
  let hasEnded = false;
  void server.ended.then(() => {
    hasEnded = true;
  });
  const deadline = performance.now() + START_DEADLINE_MS;
  while (!hasEnded && performance.now() < deadline) {
    if ((await pidOf(port, password)) === server.pid) return true;
    await sleep(20);
  }
  return false;
}

/** Whose port this is, once it has loaded its files. */
async function pidOf(port: number, password: string): Promise<number | undefined> {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    password,
    lazyConnect: true,
    retryStrategy: () => null,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const pid = /^process_id:(\d+)/m.exec(await client.info('server'))?.[1];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined;
  } finally {
    client.disconnect();
  }
}
