/** A parent for tests to kill: starts a Redis, holds on to it, and prints what it is as one line of JSON. */
import { provideRedis } from '../../../src/adapters/redis-embedded/provide-redis.ts';
import { configOf, ping } from './ask-redis.ts';

const server = await provideRedis({ appendOnly: true, mayInstall: false, say: () => undefined });

// A parent that still has something to finish after Ctrl-C must find its Redis there.
process.on('SIGINT', async () => {
  process.stdout.write(`${await ping(server.url)}\n`);
});

process.stdin.on('data', (text) => {
  if (text.toString().trim() === 'exit') process.exit(0);
  throw new Error('as told');
});

// Last: whoever reads it may send a signal at once.
process.stdout.write(
  `${JSON.stringify({ url: server.url, pid: server.pid, folder: await configOf(server.url, 'dir') })}\n`,
);
