import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { ConnectionScript, type ScriptArguments } from './script-command.ts';

/** What a connection is for: it decides what happens while Redis is away. */
export type ConnectionUse =
  /** Waits as long as Redis is away, and goes on by itself. */
  | 'worker'
  /** Fails soon, because somebody waits for the answer. */
  | 'producer';

/**
 * Redis did not answer in time, or takes nothing at present. Whether a change was made may be unknown;
 * repeating it is harmless.
 */
export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable';
  /** Reports of the call that are known to have been accepted all the same; others may have been. */
  readonly accepted: number;

  constructor(message: string, options?: ErrorOptions & { readonly accepted?: number }) {
    super(message, options);
    this.accepted = options?.accepted ?? 0;
  }
}

type ScriptDefinition = Parameters<Redis['defineCommand']>[1];

/** How long a connection may take to end politely. */
const GOODBYE_MS = 250;

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
    // A Redis that loads its data guesses how long that takes, and ioredis would wait up to 10 s beyond the end.
    maxLoadingRetryTime: 500,
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
        // Before the command gives up, so that it can say why.
        connectTimeout: Math.ceil(producerTimeoutMs * 0.8),
        // After it: a host that vanished without a word would hold the connection for a quarter of an hour, and
        // every call would fail for as long although Redis is back elsewhere.
        socketTimeout: Math.ceil(producerTimeoutMs * 1.5),
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
  const redis = new OwnedRedis(url, options(use, producerTimeoutMs), use);
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
  #lastFault: Error | undefined;
  #isLoading = false;
  readonly #use: ConnectionUse;
  #isGathering = false;

  constructor(url: string, settings: Options, use: ConnectionUse) {
    super(url, settings);
    this.#use = use;
    bearManyResends(this);
    this.on('error', (error: Error) => {
      this.#lastFault = error;
    }).on('ready', () => {
      this.#lastFault = undefined;
    });
    this.#listenToReadyCheck();
  }

  /** Why the connection is not there, or undefined where it is or where nobody knows. */
  get lastFault(): Error | undefined {
    return this.#lastFault;
  }

  /** Whether Redis said last that it still reads its data from its disk. */
  get isLoading(): boolean {
    return this.#isLoading;
  }

  /** ioredis asks Redis whether it is ready until it is, and holds back every command meanwhile without a word. */
  #listenToReadyCheck(): void {
    const ask = this.info.bind(this) as (...args: unknown[]) => Promise<string>;
    this.info = ((...args: unknown[]) => {
      const reply = ask(...args);
      reply.then(
        (info) => {
          this.#isLoading = /^loading:1\b/m.test(info);
        },
        () => undefined,
      );
      return reply;
    }) as Redis['info'];
  }

  /** Scripts called by themselves are most of what is sent. A pipeline takes the same function, and has its own way. */
  override defineCommand(name: string, definition: ScriptDefinition): void {
    super.defineCommand(name, definition);
    const connection: object = this;
    const script = new ConnectionScript(this, definition.lua, definition.numberOfKeys);
    const asIoredisDoes: (...args: unknown[]) => unknown = Reflect.get(connection, name);
    Reflect.set(connection, name, function run(this: unknown, ...args: ScriptArguments) {
      return this === connection ? script.run(args) : asIoredisDoes.apply(this, args);
    });
  }

  override sendCommand(...args: Parameters<Redis['sendCommand']>): ReturnType<Redis['sendCommand']> {
    if (this.#use === 'worker') this.#gather();
    return super.sendCommand(...args);
  }

  /**
   * Sends all commands of one turn of the event loop in one write: the answers of Elasticsearch that came together
   * complete their jobs together. ioredis' own pipelining costs more than it saves. A producer's next report waits
   * for the answer to its last, and gains nothing.
   */
  #gather(): void {
    const socket = this.stream;
    if (this.#isGathering || socket === undefined) return;
    this.#isGathering = true;
    socket.cork();
    setImmediate(() => {
      this.#isGathering = false;
      socket.uncork();
    });
  }

  override duplicate(override?: Partial<RedisOptions>): Redis {
    const copy = super.duplicate(override);
    this.#all.push(bearManyResends(copy));
    return copy;
  }

  /** Connects anew, this connection and its copies; commands without an answer are sent again. */
  reconnect(): void {
    for (const redis of this.#all) redis.disconnect(true);
  }

  /** Ends this connection and its copies: politely where Redis answers, at once where it does not. */
  async release(): Promise<void> {
    if (this.status === 'ready') await this.#sayGoodbye();
    for (const redis of this.#all) {
      // What is closed already must not be closed again: its timer for a slow end would never be cleared.
      if (redis.status !== 'end' && redis.status !== 'close') redis.disconnect();
    }
  }

  /** Whoever hangs need not be waited for: the socket is closed anyway. */
  async #sayGoodbye(): Promise<void> {
    const patience = new AbortController();
    await Promise.race([
      this.quit().catch(() => undefined),
      once(this, 'end', { signal: patience.signal }).catch(() => undefined),
      sleep(GOODBYE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
  }
}

/**
 * After a failover every command under way waits for its connection's end to be sent again, each with a
 * listener of its own, and Node would warn of a leak.
 */
function bearManyResends(redis: Redis): Redis {
  return redis.on('connect', () => redis.stream.setMaxListeners(0));
}
