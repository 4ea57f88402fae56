/**
 * A real Redis for local use and for tests, from the first of these that works:
 *
 * 1. the URL that was given, used as it is;
 * 2. redis-server or valkey-server on PATH, started on a free port;
 * 3. Debian's redis-server, installed first, where that is allowed and possible;
 * 4. a container, where an engine answers.
 *
 * Where containers are preferred, 4 comes before 2.
 */
import { probeContainerEngine } from './container-engine.ts';
import { findBinary } from './find-binary.ts';
import { installRedis } from './install-redis.ts';
import { RedisMissing } from './redis-missing.ts';
import type { MaxMemoryPolicy, RedisServer } from './redis-server.ts';
import { startRedisContainer } from './start-redis-container.ts';
import { startRedisServer } from './start-redis-server.ts';

/** What Redis is wanted, and what may be done to get it. */
export interface ProvideRedisOptions {
  /** A Redis that is there already, `REDIS_URL`; nothing else is tried then. */
  readonly givenUrl?: string | undefined;
  /** Whether each write is also appended to a file, synced every second. */
  readonly appendOnly: boolean;
  /** Told in one line what is done at each step. */
  readonly say: (line: string) => void;
  /** Whether a container comes before a server on PATH. */
  readonly preferContainer?: boolean | undefined;
  /** Whether apt-get may install a server where there is none. */
  readonly mayInstall: boolean;
  /** Where a server keeps its files, made where missing; a temporary folder where left out. Containers keep none. */
  readonly dataDir?: string | undefined;
  /** `noeviction` where left out. */
  readonly maxMemoryPolicy?: MaxMemoryPolicy | undefined;
  /** Where PATH and DOCKER_HOST are read; the process's own where left out. */
  readonly env?: Readonly<NodeJS.ProcessEnv> | undefined;
}

const SERVER_NAMES = ['redis-server', 'valkey-server'];

/**
 * Finds or starts a Redis; whoever calls must `stop()` it.
 *
 * @throws RedisMissing where there is no way to one; its message names three.
 */
export async function provideRedis(options: ProvideRedisOptions): Promise<RedisServer> {
  if (options.givenUrl !== undefined && options.givenUrl !== '') return given(options.givenUrl, options.say);
  const tried: string[] = [];
  const steps = options.preferContainer === true ? [fromContainer, fromServer] : [fromServer, fromContainer];
  for (const step of steps) {
    const server = await step(options, tried);
    if (server !== undefined) {
      options.say(`Redis: ${server.description}`);
      return server;
    }
  }
  throw new RedisMissing(tried);
}

/** A step: a server, or undefined after writing down what stood in the way. */
type Step = (options: ProvideRedisOptions, tried: string[]) => Promise<RedisServer | undefined>;

const fromServer: Step = async (options, tried) => {
  const env = options.env ?? process.env;
  let binary = findBinary(SERVER_NAMES, env['PATH']);
  const origin = binary === undefined ? 'installed' : 'server';
  if (binary === undefined) {
    tried.push(`neither ${SERVER_NAMES.join(' nor ')} is on PATH`);
    if (!options.mayInstall) return undefined;
    const installation = await installRedis({ env, uid: process.geteuid?.(), say: options.say });
    if (installation.kind === 'refused') {
      tried.push(installation.reason);
      return undefined;
    }
    binary = findBinary(SERVER_NAMES, env['PATH']);
    if (binary === undefined) {
      tried.push('apt-get installed redis-server, but it is not on PATH');
      return undefined;
    }
  }
  return unlessItFails(options, tried, () =>
    startRedisServer({ ...options, binary, origin, path: env['PATH'] }),
  );
};

const fromContainer: Step = async (options, tried) => {
  const engine = await probeContainerEngine(options.env ?? process.env);
  if (engine.kind === 'absent') {
    tried.push(engine.reason);
    return undefined;
  }
  options.say('Redis: starting a container');
  return unlessItFails(options, tried, () =>
    startRedisContainer(options.appendOnly, options.maxMemoryPolicy),
  );
};

async function unlessItFails(
  { say }: ProvideRedisOptions,
  tried: string[],
  start: () => Promise<RedisServer>,
): Promise<RedisServer | undefined> {
  try {
    return await start();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    say(`Redis: ${reason}`);
    tried.push(reason);
    return undefined;
  }
}

function given(url: string, say: (line: string) => void): RedisServer {
  const description = `Redis at ${withoutSecrets(url)}`;
  say(`Redis: ${withoutSecrets(url)}, as given`);
  const stop = (): Promise<void> => Promise.resolve();
  return { url, description, origin: 'given', stop, [Symbol.asyncDispose]: stop };
}

/** Host and port alone: a Redis URL carries its password in front of the host, or among its parameters. */
function withoutSecrets(url: string): string {
  return URL.canParse(url) ? new URL(url).host || 'the given URL' : 'the given URL';
}
