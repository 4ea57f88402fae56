/** Redis for tests: a part of the shared one, or one of their own to stop and kill. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';
import { findBinary } from '../../src/adapters/redis-embedded/find-binary.ts';
import { RedisMissing } from '../../src/adapters/redis-embedded/redis-missing.ts';
import type { MaxMemoryPolicy } from '../../src/adapters/redis-embedded/redis-server.ts';
import {
  type StartedRedisServer,
  startRedisServer,
} from '../../src/adapters/redis-embedded/start-redis-server.ts';

/** The Redis that the whole run shares; keep to a prefix of your own and never flush it. */
export function redisUrl(): string {
  return inject('redisUrl');
}

/** A key prefix nobody else has, a hash tag: `{t-…}`. The caller removes what is under it. */
export function newKeyPrefix(): string {
  return `{t-${randomUUID()}}`;
}

/**
 * A key prefix for the test that calls this; what is under it goes when the test has finished. Such
 * callbacks run last in, first out, so ask for the prefix before anything that writes under it.
 */
export function keyPrefix(): string {
  const prefix = newKeyPrefix();
  onTestFinished(() => removeKeys(prefix));
  return prefix;
}

/** A client of the shared Redis that is closed when the test has finished. */
export function redisClient(): Redis {
  const client = new Redis(redisUrl(), { maxRetriesPerRequest: 1 });
  onTestFinished(() => client.disconnect());
  return client;
}

/** The keys under a prefix, sorted. */
export async function keysUnder(prefix: string, url: string = redisUrl()): Promise<string[]> {
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    const found = new Set<string>();
    for await (const page of client.scanStream({ match: `${globOf(prefix)}*`, count: 1_000 })) {
      for (const key of page as string[]) found.add(key);
    }
    return [...found].sort();
  } finally {
    client.disconnect();
  }
}

/** Removes every key under a prefix. */
export async function removeKeys(prefix: string, url: string = redisUrl()): Promise<void> {
  const keys = await keysUnder(prefix, url);
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    for (let start = 0; start < keys.length; start += 1_000) {
      await client.unlink(...keys.slice(start, start + 1_000));
    }
  } finally {
    client.disconnect();
  }
}

function globOf(prefix: string): string {
  if (prefix === '') throw new Error('An empty prefix would take every key of the shared Redis.');
  return prefix.replace(/[\\*?[\]]/g, '\\$&');
}

/** A Redis for one test, with a port and files that outlive its processes. */
export interface OwnRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Process id of the present or the last server. */
  readonly pid: number;
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  /** Starts it again on the same port and files, after `stop` or `kill`. */
  start(): Promise<void>;
}

/** How a Redis of one's own differs from the shared one. */
export interface OwnRedisOptions {
  /** Whether what was written is there again after `kill` and `start`; true where left out. */
  readonly appendOnly?: boolean;
  /** `noeviction` where left out. */
  readonly maxMemoryPolicy?: MaxMemoryPolicy;
}

/**
 * Starts a Redis that a test may stop, kill and start again, and that is gone when the test has finished or
 * when it is disposed of, whichever comes first.
 *
 * @throws RedisMissing where no server is on PATH: a container cannot be killed and come back in place.
 */
export async function startOwnRedis(options: OwnRedisOptions = {}): Promise<OwnRedis> {
  const binary = findBinary(['redis-server', 'valkey-server'], process.env['PATH']);
  if (binary === undefined) {
    throw new RedisMissing(['this test kills its Redis, so it needs redis-server on PATH']);
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'sync-error-relay-own-redis-'));
  const start = (port?: number): Promise<StartedRedisServer> =>
    startRedisServer({
      binary,
      port,
      dataDir,
      appendOnly: options.appendOnly ?? true,
      maxMemoryPolicy: options.maxMemoryPolicy,
    });
  let server = await start();
  const { port, url } = server;

  const dispose = async (): Promise<void> => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  onTestFinished(dispose);

  return {
    url,
    port,
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    kill: async () => {
      process.kill(server.pid, 'SIGKILL');
      // Waits until the process is gone, however it went.
      await server.stop();
    },
    start: async () => {
      server = await start(port);
    },
    [Symbol.asyncDispose]: dispose,
  };
}
