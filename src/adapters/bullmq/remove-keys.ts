import { connectRedis } from './connect-redis.ts';

/** Removes every key under a prefix, in pages, so that Redis is never held up. */
export async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = connectRedis(url, 'producer', () => undefined);
  try {
    // What has a meaning in a pattern is taken literally.
    const match = `${prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}:*`;
    for await (const keys of redis.scanStream({ match, count: 1_000 })) {
      if (keys.length > 0) await redis.unlink(...(keys as string[]));
    }
  } finally {
    await redis.release();
  }
}
