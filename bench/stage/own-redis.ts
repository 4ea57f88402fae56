import { Redis } from 'ioredis';
import { findBinary } from '../../src/adapters/redis-embedded/find-binary.ts';
import { startRedisServer } from '../../src/adapters/redis-embedded/start-redis-server.ts';

/** A Redis of the bench's own, which keeps nothing on disk, and a client that measures it. */
export interface OwnRedis extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly description: string;
  readonly client: Redis;
  /** Bytes that it has given out to keep what it holds. */
  usedBytes(): Promise<number>;
}

/** Starts it. @throws {Error} where neither redis-server nor valkey-server is on PATH */
export async function startOwnRedis(path: string | undefined): Promise<OwnRedis> {
  const binary = findBinary(['redis-server', 'valkey-server'], path);
  if (binary === undefined)
    throw new Error('the bench reads the CPU time of its Redis, so it needs redis-server on PATH');
  const server = await startRedisServer({ binary, appendOnly: false, path });
  const client = new Redis(server.url);
  return {
    url: server.url,
    pid: server.pid,
    description: server.description.replace(/ on port \d+/, ''),
    client,
    async usedBytes() {
      return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
    },
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await server.stop();
    },
  };
}
