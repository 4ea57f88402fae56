import { randomBytes } from 'node:crypto';
import { type MaxMemoryPolicy, type RedisServer, settingsOf } from './redis-server.ts';

const IMAGE = 'redis:8-alpine';
const PORT = 6379;

/**
 * Starts Redis in a container. Its password is new each time: an engine publishes ports on every interface.
 * Testcontainers is a development dependency and slow to load, so it is imported only here.
 *
 * @throws Error where testcontainers is not installed, or the image cannot be had.
 */
export async function startRedisContainer(
  appendOnly: boolean,
  maxMemoryPolicy: MaxMemoryPolicy | undefined,
): Promise<RedisServer> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const password = randomBytes(18).toString('hex');
  const container = await new GenericContainer(IMAGE)
    .withExposedPorts(PORT)
    .withCommand(['redis-server', ...settingsOf(appendOnly, maxMemoryPolicy), ...['--requirepass', password]])
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
  const port = container.getMappedPort(PORT);
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= container.stop().then(() => undefined);
    return stopping;
  };
  return {
    url: `redis://:${password}@${container.getHost()}:${port}`,
    description: `container ${IMAGE} on port ${port}`,
    origin: 'container',
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
