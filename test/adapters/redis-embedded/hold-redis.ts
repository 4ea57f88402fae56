/** A parent for tests to kill: starts a Redis, prints what it is as one line of JSON, and holds on to it. */
import { provideRedis } from '../../../src/adapters/redis-embedded/provide-redis.ts';
import { configOf, ping } from './ask-redis.ts';

const server = await provideRedis({ appendOnly: true, mayInstall: false, say: () => undefined });
process.stdout.write(
  `${JSON.stringify({ url: server.url, pid: server.pid, folder: await configOf(server.url, 'dir') })}\n`,
);

// A parent that still has something to finish after Ctrl-C must find its Redis there.
process.on('SIGINT', async () => {
  process.stdout.write(`${await ping(server.url)}\n`);
});

process.stdin.on('data', (text) => {
  if (text.toString().trim() === 'exit') process.exit(0);
  throw new Error('as told');
});
