import { Redis } from 'ioredis';

/** Answers with what `use` makes of a client that gives up at the first failure. */
export async function withRedis<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}

/** `PONG`, or a rejection. */
export const ping = (url: string): Promise<string> => withRedis(url, (client) => client.ping());

/** One setting of the server. */
export async function configOf(url: string, name: string): Promise<string> {
  const reply = await withRedis(url, (client) => client.config('GET', name));
  return String((reply as unknown[])[1]);
}
