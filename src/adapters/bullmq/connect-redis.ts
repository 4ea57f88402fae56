import { once } from 'node:events';
import { Redis, type RedisOptions } from 'ioredis';

/** What a connection is for: it decides what happens while Redis is away. */
export type ConnectionUse =
  /** Waits as long as Redis is away, and goes on by itself. */
  | 'worker'
  /** Fails soon, because somebody waits for the answer. */
  | 'producer';

/** Redis could not be asked in time. Whether a change was made is then unknown; repeating it is harmless. */
export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable';
}

const MAX_RECONNECT_DELAY_MS = 2_000;

/** These answers mean that the connection leads to the wrong node now: reconnect, and send again. */
const WRONG_NODE = /^(READONLY|UNBLOCKED|LOADING|MASTERDOWN)\b/;

const RECONNECT_AND_RESEND = 2;

/** ioredis declares its option for reply shapes twice, with and without `undefined`; we never set it. */
type Options = Omit<RedisOptions, 'replyMapping'>;

function options(use: ConnectionUse, producerTimeoutMs: number): Options {
  const shared: Options = {
    reconnectOnError: (error) => (WRONG_NODE.test(error.message) ? RECONNECT_AND_RESEND : false),
    // Jitter keeps a fleet from coming back all at once; connection time is not the domain's business.
    retryStrategy: (times) =>
      Math.min(50 * 2 ** Math.min(times, 10), MAX_RECONNECT_DELAY_MS) * (0.5 + Math.random() / 2),
    connectTimeout: 5_000,
    // ioredis waits so long for a socket to end, also for one that is gone, before it lets go of it.
    disconnectTimeout: 250,
  };
  switch (use) {
    case 'worker':
      // BullMQ 6 no longer sets this by itself: with ioredis' own 20, an outage of Redis that outlasts 20
      // reconnections fails the completion of a job whose report was applied, and runs it again. No
      // commandTimeout: it would end the idle blocking command.
      return { ...shared, maxRetriesPerRequest: null };
    case 'producer':
      return {
        ...shared,
        maxRetriesPerRequest: 1,
        commandTimeout: producerTimeoutMs,
        connectTimeout: producerTimeoutMs,
        retryStrategy: (times) => Math.min(50 * times, MAX_RECONNECT_DELAY_MS),
      };
  }
}

/**
 * Opens a connection to Redis. It connects in the background and reports faults to `onError` only; the
 * messages name host and port, never the password.
 *
 * @param url `redis://` or `rediss://`, with user and password in it where there are any
 */
export function connectRedis(
  url: string,
  use: ConnectionUse,
  onError: (error: Error) => void,
  producerTimeoutMs = 1_000,
): OwnedRedis {
  const redis = new OwnedRedis(url, options(use, producerTimeoutMs));
  redis.on('error', onError);
  return redis;
}

/**
 * A connection that knows the copies made of it. BullMQ duplicates a worker's connection for its blocking
 * command and keeps the copy to itself; where Redis never answered, closing the worker waits for it for
 * ever, and it would keep the process alive.
 */
export class OwnedRedis extends Redis {
  readonly #all: Redis[] = [this];

  constructor(url: string, settings: Options) {
    super(url, settings);
    bearManyResends(this);
  }

  override duplicate(override?: Partial<RedisOptions>): Redis {
    const copy = super.duplicate(override);
    this.#all.push(bearManyResends(copy));
    return copy;
  }

  /** Ends this connection and its copies: politely where Redis answers, at once where it does not. */
  async release(): Promise<void> {
    if (this.status === 'ready') {
      await Promise.race([this.quit().catch(() => undefined), once(this, 'end')]);
    }
    for (const redis of this.#all) {
      // What is closed already must not be closed again: its timer for a slow end would never be cleared.
      if (redis.status !== 'end' && redis.status !== 'close') redis.disconnect();
    }
  }
}

/**
 * After a failover every command under way waits for its connection's end to be sent again, each with a
 * listener of its own, and Node would warn of a leak.
 */
function bearManyResends(redis: Redis): Redis {
  return redis.on('connect', () => redis.stream.setMaxListeners(0));
}
