/**
 * The HTTP server: plain node:http around {@link dispatch}.
 *
 * A request's life: faults drawn → body received → kept waiting → answered, or what a fault makes of
 * that → entered in the ledger.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Admin } from '../admin/admin.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { exceptionBody, ServerException } from '../errors/server-exception.ts';
import type { Faults, Strike } from '../faults/faults.ts';
import { type Delivery, replaceHeader, shapeAnswer } from '../faults/shape-answer.ts';
import type { Ledger } from '../ledger.ts';
import type { Answer, Route } from '../route.ts';
import type { Router } from '../router.ts';
import { dispatch, exceptionAnswer } from './dispatch.ts';
import { Listener } from './listener.ts';
import { type Media, readMedia } from './media-type.ts';
import { type Received, receiveBody } from './receive.ts';
import { productHeader, type WireAnswer, writeAnswer } from './write-answer.ts';

/** `http.max_initial_line_length` of Elasticsearch. */
const maxLineBytes = 4096;
/** `http.max_header_size` of Elasticsearch, beside room for an over-long line to be read and refused. */
const maxHeaderBytes = 64 * 1024;

const tooLongLine = new ServerException(400, {
  type: 'too_long_http_line_exception',
  reason: `An HTTP line is larger than ${maxLineBytes} bytes.`,
});

/** Answers bytes that are no request, or too long a one to be read, and closes. */
function refuseUnreadable(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const exception =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? tooLongLine
      : new ServerException(400, { type: 'illegal_argument_exception', reason: error.message });
  const body = JSON.stringify(exceptionBody(exception));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\n${productHeader.join(': ')}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** What the server is made of. */
export interface WebServerParts {
  readonly cluster: Cluster;
  readonly router: Router<Route>;
  readonly ledger: Ledger;
  readonly admin: Admin;
  /** `http.max_content_length` in bytes. */
  readonly maxContentBytes: number;
}

/** One request and what is known of it. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly url: string;
  readonly arrivedMs: number;
  readonly strike: Strike | undefined;
}

const nothing = Buffer.alloc(0);

/** Answers, and stops without leaving a socket or a timer behind. */
export class WebServer {
  readonly listener: Listener;
  readonly #parts: WebServerParts;
  readonly faults: Faults;
  readonly #media = new Map<string, Media>();
  readonly #waits = new Set<NodeJS.Timeout>();

  /**
   * @param parts - Where requests go.
   * @param faultsOf - Makes the faults, given the listener they may close.
   */
  constructor(parts: WebServerParts, faultsOf: (listener: Listener) => Faults) {
    this.#parts = parts;
    const server: Server = createServer(
      { noDelay: true, maxHeaderSize: maxHeaderBytes, keepAlive: true, requestTimeout: 0, headersTimeout: 0 },
      (request, response) => this.#serve(request, response),
    );
    // Elasticsearch does not close idle connections; a server that did would race with its clients.
    server.keepAliveTimeout = 0;
    server.timeout = 0;
    server.on('clientError', refuseUnreadable);
    this.listener = new Listener(server);
    this.faults = faultsOf(this.listener);
  }

  /** Cuts every connection and forgets every request that was kept waiting. */
  async close(): Promise<void> {
    for (const wait of this.#waits) clearTimeout(wait);
    this.#waits.clear();
    this.faults.clear();
    await this.listener.close();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const method = request.method ?? 'GET';
    const url = request.url ?? '/';
    if (this.#parts.admin.owns(url)) {
      this.#parts.admin.serve(request, response);
      return;
    }
    const strike = this.faults.any ? this.faults.strike(method, url) : undefined;
    const exchange: Exchange = { request, response, method, url, arrivedMs: performance.now(), strike };
    receiveBody(request, this.#parts.maxContentBytes, (received) => {
      if (received.kind === 'aborted') return;
      if (strike === undefined || strike.delayMs === 0) this.#answer(exchange, received);
      else this.#answerLater(exchange, received, strike.delayMs);
    });
  }

  #answerLater(exchange: Exchange, received: Received, delayMs: number): void {
    const wait = setTimeout(() => {
      this.#waits.delete(wait);
      this.#answer(exchange, received);
    }, delayMs);
    this.#waits.add(wait);
  }

  #answer(exchange: Exchange, received: Received): void {
    if (received.kind === 'too-large') {
      // Sent by the network layer, before anything of Elasticsearch's REST layer.
      const headers = ['content-length', '0', 'connection', 'close'];
      this.#deliver(exchange, { kind: 'whole', answer: { status: 413, headers, body: '' } });
      return;
    }
    const body = received.kind === 'body' ? received.body : nothing;
    const media = this.#mediaOf(exchange.request, body.length > 0);
    const opaqueId = headerText(exchange.request, 'x-opaque-id');
    const work = (): WireAnswer => this.#work(exchange, received, body, media, opaqueId);
    const effect = exchange.strike?.effect;
    const delivery: Delivery =
      effect === undefined
        ? { kind: 'whole', answer: work() }
        : shapeAnswer(effect, { url: exchange.url, opaqueId, responseType: media.responseType }, work);
    this.#deliver(exchange, delivery);
  }

  #work(
    exchange: Exchange,
    received: Received,
    body: Buffer,
    media: Media,
    opaqueId: string | undefined,
  ): WireAnswer {
    const { url, method } = exchange;
    const mark = url.indexOf('?');
    const acceptEncoding = exchange.request.headers['accept-encoding'];
    return writeAnswer(this.#decide(exchange, received, body, media), {
      media,
      queryText: mark === -1 ? '' : url.slice(mark + 1),
      opaqueId,
      // An answer to HEAD has nothing to pack, and a client that unpacked it would fail.
      acceptsGzip:
        acceptEncoding !== undefined && method !== 'HEAD' && /\bgzip\b/.test(String(acceptEncoding)),
    });
  }

  #decide(exchange: Exchange, received: Received, body: Buffer, media: Media): Answer {
    const { method, url, request } = exchange;
    if (method.length + url.length + ' HTTP/1.1 '.length > maxLineBytes) return exceptionAnswer(tooLongLine);
    if (received.kind === 'broken') return exceptionAnswer(received.exception);
    const { cluster, router } = this.#parts;
    return dispatch(cluster, router, { method, url, headers: request.headers, body, media });
  }

  #deliver(exchange: Exchange, delivery: Delivery): void {
    const { response, request } = exchange;
    response.sendDate = false;
    // HTTP/1.1 keeps connections alive without saying so, and so does Elasticsearch.
    if (request.httpVersionMinor === 1 && response.shouldKeepAlive) response.removeHeader('connection');
    switch (delivery.kind) {
      case 'whole': {
        const { status, headers, body } = delivery.answer;
        response.writeHead(status, headers);
        response.end(body);
        this.#enter(exchange, status);
        return;
      }
      case 'cut': {
        const { status, headers, body } = delivery.answer;
        response.writeHead(status, headers);
        response.flushHeaders();
        const part = Buffer.from(body).subarray(0, delivery.afterBytes);
        if (part.length === 0) request.socket.end();
        else response.write(part, () => request.socket.end());
        this.#enter(exchange, status);
        return;
      }
      case 'wrong-length': {
        const { status, headers, body } = delivery.answer;
        response.writeHead(status, replaceHeader(headers, 'content-length', String(delivery.contentLength)));
        response.end(body, () => request.socket.end());
        this.#enter(exchange, status);
        return;
      }
      case 'reset':
        // A connection that was handed over may be of a kind that knows no reset.
        if (request.socket.remoteAddress === undefined) request.socket.destroy();
        else request.socket.resetAndDestroy();
        this.#enter(exchange, 0);
        return;
      case 'silence':
        this.#enter(exchange, 0);
        return;
    }
  }

  #enter(exchange: Exchange, status: number): void {
    const { method, url, arrivedMs, strike } = exchange;
    const entry = {
      method,
      path: url,
      status,
      timeMs: performance.timeOrigin + arrivedMs,
      durationMs: performance.now() - arrivedMs,
    };
    const fault = strike === undefined ? undefined : (strike.effect?.kind ?? 'latency');
    this.#parts.ledger.add(fault === undefined ? entry : { ...entry, fault });
  }

  /** Clients send the same few headers over and over, so what they come to is remembered. */
  #mediaOf(request: IncomingMessage, hasBody: boolean): Media {
    const accept = request.headers.accept;
    const contentType = request.headers['content-type'];
    const key = `${hasBody}\n${accept}\n${contentType}`;
    let media = this.#media.get(key);
    if (media === undefined) {
      media = readMedia(accept, contentType, hasBody, this.#parts.cluster.version.major);
      if (this.#media.size >= 1000) this.#media.clear();
      this.#media.set(key, media);
    }
    return media;
  }
}

function headerText(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
