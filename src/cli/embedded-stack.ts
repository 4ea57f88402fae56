import { provideRedis } from '../adapters/redis-embedded/provide-redis.ts';
import { type App, type AppOverrides, createApp } from '../app.ts';
import { type Config, type Environment, readConfig } from '../config.ts';
import { openRelay, type Relay } from '../relay.ts';
import { type StandIn, startStandIn } from '../stand-in/index.ts';

/** Redis, the stand-in for Elasticsearch, and a worker between them, in one process. */
export interface EmbeddedStack extends AsyncDisposable {
  readonly config: Config;
  readonly standIn: StandIn;
  readonly relay: Relay;
  readonly app: App;
}

export interface EmbeddedStackOptions extends AppOverrides {
  /** The process's environment: `REDIS_URL` is used, and what tunes the worker; what names Elasticsearch is not. */
  readonly env: Environment;
  /** Settings of the stack's own, which come before the environment's. */
  readonly settings?: Environment;
  /** Whether Redis appends every write to a file. */
  readonly appendOnly: boolean;
  /** Told, a line each, what is found or started. */
  readonly say: (line: string) => void;
}

/** Where a credential, or a server, of somebody else's could be named; the stack is its own. */
const NOT_OURS = /^(ELASTICSEARCH_|ES_LOCAL_|REDIS_|HTTP_)/;

/**
 * Starts everything, the worker included.
 *
 * @throws {RedisMissing} where there is no Redis and no way to get one
 * @throws {ConfigInvalid}
 */
export async function startEmbeddedStack(options: EmbeddedStackOptions): Promise<EmbeddedStack> {
  const { env, say } = options;
  await using starting = new AsyncDisposableStack();
  const redis = starting.use(
    await provideRedis({ givenUrl: env['REDIS_URL'], appendOnly: options.appendOnly, say, mayInstall: true }),
  );
  const standIn = starting.use(await startStandIn());
  say(`Elasticsearch: the stand-in, at ${standIn.url}`);
  const config = readConfig({
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_OURS.test(name))),
    REDIS_URL: redis.url,
    ELASTICSEARCH_URL: standIn.url,
    ...options.settings,
  });
  const relay = starting.use(openRelay(config));
  const app = starting.use(createApp(config, options));
  await app.start();

  const started = starting.move();
  return { config, standIn, relay, app, [Symbol.asyncDispose]: () => started.disposeAsync() };
}
