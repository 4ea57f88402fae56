import { type ConnectionOptions, UndiciConnection } from '@elastic/elasticsearch';
import type { RawResponse } from './answer-of-response.ts';
import { Connector, type ConnectorOptions } from './connector.ts';
import { type ExchangeLimits, exchange } from './exchange.ts';
import { NodeFailure } from './node-failure.ts';

/**
 * How long an idle connection is kept, in milliseconds: shorter than load balancers commonly do (60 s), for
 * a request sent into a connection that the other side has just dropped may or may not have arrived.
 */
const KEEP_ALIVE_MS = 20_000;

/** What all connections of one client share. */
export interface NodeConnectionOptions extends ConnectorOptions {
  /** For one request, connecting included, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest response body that is read, in bytes. */
  readonly maxResponseBytes: number;
}

/** One request to a node. */
export interface NodeRequest {
  readonly method: string;
  /** Below the node's own path. */
  readonly path: string;
  /** JSON, or null for none. */
  readonly body: string | null;
  /** Beside those that every request has: who asks, credentials and the media types. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * The client's connection to one node, with an exchange of our own in place of the client's, which
 *
 * - forgets the network's error code and whether the request had left;
 * - signals a timeout by firing the caller's own abort signal, and so ends every request that shares it;
 * - stops its clock at the response's headers, so that a slow body has no end.
 */
export class NodeConnection extends UndiciConnection {
  readonly #limits: ExchangeLimits;
  readonly #connector: Connector;
  readonly #pathPrefix: string;
  #open = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(clientOptions: ConnectionOptions, options: NodeConnectionOptions) {
    const connector = new Connector(options);
    const agent = {
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      // undici's own clocks are coarse, and the exchange has an exact one.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: connector.connect,
    };
    super({ ...clientOptions, agent });
    this.#limits = {
      timeoutMs: options.timeoutMs,
      maxResponseBytes: options.maxResponseBytes,
      onEnd: () => {
        this.#open -= 1;
        if (this.#open === 0) this.#onIdle?.();
      },
    };
    this.#connector = connector;
    this.#pathPrefix = this.url.pathname.replace(/\/$/, '');
  }

  /**
   * Sends one request and reads its response.
   *
   * @throws {NodeFailure} where no readable response came of it
   */
  send({ method, path, body, headers }: NodeRequest, signal: AbortSignal): Promise<RawResponse> {
    if (signal.aborted) return Promise.reject(new NodeFailure({ kind: 'interrupted' }, false));
    const request = {
      method,
      path: this.#pathPrefix + path,
      headers: headers === undefined ? this.headers : { ...this.headers, ...headers },
      body,
    };
    this.#open += 1;
    return exchange(this.pool, request, this.#limits, signal);
  }

  /** Lets the open requests end, each by its timeout at the latest, and closes every socket. May be repeated. */
  override close(): Promise<void> {
    this.#closing ??= this.#closeWhenIdle();
    return this.#closing;
  }

  async #closeWhenIdle(): Promise<void> {
    if (this.#open > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#connector.abort();
    await this.pool.destroy();
  }
}

/** The connection class for a client: it makes its connections itself, with options of its own only. */
export function nodeConnectionClass(options: NodeConnectionOptions): typeof UndiciConnection {
  return class extends NodeConnection {
    constructor(clientOptions: ConnectionOptions) {
      super(clientOptions, options);
    }
  };
}
