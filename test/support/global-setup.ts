/**
 * Runs once before all tests, in the main process: one Redis for the whole run, and an Elasticsearch where
 * containers are asked for with TEST_CONTAINERS=1. Workers get their addresses by `inject`.
 *
 * It must not throw: Vitest would then say "No test files found" and hang for a while.
 */
import { Redis } from 'ioredis';
import type { TestProject } from 'vitest/node';
import { probeContainerEngine } from '../../src/adapters/redis-embedded/container-engine.ts';
import { provideRedis } from '../../src/adapters/redis-embedded/provide-redis.ts';
import { startElasticsearchContainer } from './elasticsearch-container.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Redis that all tests share: nobody may flush it. */
    redisUrl: string;
    /** The Elasticsearch container, or null where the stand-in serves. */
    elasticsearchUrl: string | null;
    /** A key with just the cluster privilege `manage_connector`, or null where the stand-in serves. */
    elasticsearchApiKey: string | null;
  }
}

const say = (line: string): void => {
  process.stderr.write(`tests: ${line}\n`);
};

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  try {
    return await provideServices(project);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

async function provideServices(project: TestProject): Promise<() => Promise<void>> {
  const withoutContainers = await whyNoContainers();
  if (withoutContainers !== undefined) say(`no containers, the stand-in serves: ${withoutContainers}`);
  const useContainers = withoutContainers === undefined;
  await using stack = new AsyncDisposableStack();

  const redis = stack.use(
    await provideRedis({
      givenUrl: useContainers ? undefined : process.env['REDIS_URL'],
      preferContainer: useContainers,
      appendOnly: false,
      mayInstall: true,
      say,
    }),
  );
  await expectAnswer(redis.url, redis.description);
  project.provide('redisUrl', redis.url);

  const elasticsearch = useContainers ? stack.use(await startElasticsearchContainer(say)) : undefined;
  project.provide('elasticsearchUrl', elasticsearch?.url ?? null);
  project.provide('elasticsearchApiKey', elasticsearch?.apiKey ?? null);

  const services = stack.move();
  return () => services.disposeAsync();
}

/** Undefined where containers are asked for and can be had. */
async function whyNoContainers(): Promise<string | undefined> {
  if (process.env['TEST_CONTAINERS'] !== '1') return 'TEST_CONTAINERS=1 is not set';
  const engine = await probeContainerEngine(process.env);
  return engine.kind === 'absent' ? `TEST_CONTAINERS=1, but ${engine.reason}` : undefined;
}

/** A Redis that was given may not be there at all: better one line now than every test failing. */
async function expectAnswer(url: string, description: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  // The reason of a refused connection comes as an event; connect() itself only says "closed".
  let reason: Error | undefined;
  client.on('error', (error: Error) => {
    reason = error;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    throw new Error(`${description} does not answer: ${(reason ?? (error as Error)).message}`, {
      cause: error,
    });
  } finally {
    client.disconnect();
  }
}
