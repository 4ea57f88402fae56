import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { integrationElasticsearch } from './elasticsearch.ts';
import { keysUnder, newKeyPrefix, redisClient, removeKeys, startOwnRedis } from './redis.ts';

describe('the shared Redis', () => {
  it('keeps the keys of two tests apart and removes those of one alone', async () => {
    const client = redisClient();
    const [mine, other] = [newKeyPrefix(), newKeyPrefix()];
    await client.set(`${mine}:a`, '1');
    await client.set(`${other}:a`, '1');

    await removeKeys(mine);

    expect(await keysUnder(mine)).toEqual([]);
    expect(await keysUnder(other)).toEqual([`${other}:a`]);
    await removeKeys(other);
  });

  it('takes no key of others for a prefix that is a pattern', async () => {
    const prefix = newKeyPrefix();
    await redisClient().set(`${prefix}:a`, '1');
    expect(await keysUnder('{t-*')).toEqual([]);
    await expect(removeKeys('')).rejects.toThrow('every key');
    await removeKeys(prefix);
  });

  it('refuses to drop writes when it is full', async () => {
    expect(await redisClient().config('GET', 'maxmemory-policy')).toContain('noeviction');
  });
});

describe('a Redis of its own', () => {
  it('comes back on the same port with what was written, after a kill and after a stop', async () => {
    await using own = await startOwnRedis();
    const first = own.pid;
    await withClient(own.url, (client) => client.set('kept', 'yes'));

    await own.kill();
    await own.start();
    expect(own.pid).not.toBe(first);
    expect(await withClient(own.url, (client) => client.get('kept'))).toBe('yes');

    await own.stop();
    await own.start();
    expect(await withClient(own.url, (client) => client.get('kept'))).toBe('yes');
  });
});

describe('the Elasticsearch of integration tests', () => {
  it.each(['pending', 'in_progress', 'canceling', 'canceled', 'error'] as const)(
    'has a sync job that is %s, made through its public API',
    async (status) => {
      await using elasticsearch = await integrationElasticsearch();
      const id = await elasticsearch.createSyncJob(status, 'the disk was full');

      const job = await elasticsearch.syncJob(id);

      expect(job).toMatchObject({ id, status, connector: { id: elasticsearch.connectorId } });
      expect(job?.error).toBe(status === 'error' ? 'the disk was full' : undefined);
    },
  );

  it('knows nothing of a sync job that was never made', async () => {
    await using elasticsearch = await integrationElasticsearch();
    await elasticsearch.createSyncJob();
    expect(await elasticsearch.syncJob('never-made')).toBeUndefined();
  });
});

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}
