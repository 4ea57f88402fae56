import type { Relay } from '../../src/index.ts';

/** The library as it is published, with every setting at its default but the patience that a full machine needs. */
export async function openBuiltRelay(redisUrl: string): Promise<Relay> {
  const built = new URL('../../dist/index.js', import.meta.url).href;
  const { openRelay, readConfig } = (await import(built)) as typeof import('../../src/index.ts');
  return openRelay(readConfig({ REDIS_URL: redisUrl, ENQUEUE_TIMEOUT_MS: '30000' }));
}
