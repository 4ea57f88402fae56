/**
 * The HTTP server: plain node:http around {@link dispatch}.
 *
 * A request's life: line length checked → body received → dispatched → written → entered in the ledger.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cluster } from '../cluster/cluster.ts';
import { ServerException } from '../errors/server-exception.ts';
import type { Ledger } from '../ledger.ts';
import type { Answer, Route } from '../route.ts';
import type { Router } from '../router.ts';
import { dispatch, exceptionAnswer } from './dispatch.ts';
import { type Media, readMedia } from './media-type.ts';
import { type Received, receiveBody } from './receive.ts';
import { writeAnswer } from './write-answer.ts';

/** `http.max_initial_line_length` of Elasticsearch. */
const maxLineBytes = 4096;
/** `http.max_header_size` of Elasticsearch, beside room for an over-long line to be read and refused. */
const maxHeaderBytes = 64 * 1024;

/** What the server is made of. */
export interface WebServerParts {
  readonly cluster: Cluster;
  readonly router: Router<Route>;
  readonly ledger: Ledger;
  /** `http.max_content_length` in bytes. */
  readonly maxContentBytes: number;
}

/** Listens, answers, and stops without leaving a socket behind. */
export class WebServer {
  readonly #parts: WebServerParts;
  readonly #server: Server;
  readonly #media = new Map<string, Media>();

  /** @param parts - Where requests go. */
  constructor(parts: WebServerParts) {
    this.#parts = parts;
    this.#server = createServer(
      { noDelay: true, maxHeaderSize: maxHeaderBytes, keepAlive: true, requestTimeout: 0, headersTimeout: 0 },
      (request, response) => this.#serve(request, response),
    );
    // Elasticsearch does not close idle connections; a server that did would race with its clients.
    this.#server.keepAliveTimeout = 0;
    this.#server.timeout = 0;
  }

  /** Starts to listen; resolves with the port. */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening and cuts every connection. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const arrived = performance.now();
    receiveBody(request, this.#parts.maxContentBytes, (received) => {
      if (received.kind === 'aborted') return;
      this.#answer(request, response, received, arrived);
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse, received: Received, arrived: number): void {
    const method = request.method ?? 'GET';
    const url = request.url ?? '/';
    if (received.kind === 'too-large') {
      // Sent by the network layer, before anything of Elasticsearch's REST layer.
      this.#write(request, response, arrived, 413, ['content-length', '0', 'connection', 'close'], '');
      return;
    }
    const body = received.kind === 'body' ? received.body : Buffer.alloc(0);
    const media = this.#mediaOf(request, body.length > 0);
    const answer = this.#decide(method, url, request, received, body, media);
    const mark = url.indexOf('?');
    const opaqueId = request.headers['x-opaque-id'];
    const wire = writeAnswer(answer, {
      media,
      queryText: mark === -1 ? '' : url.slice(mark + 1),
      opaqueId: typeof opaqueId === 'string' ? opaqueId : undefined,
      acceptsGzip: /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? '')),
    });
    this.#write(request, response, arrived, wire.status, wire.headers, wire.body);
  }

  #decide(
    method: string,
    url: string,
    request: IncomingMessage,
    received: Received,
    body: Buffer,
    media: Media,
  ): Answer {
    if (method.length + url.length + ' HTTP/1.1 '.length > maxLineBytes) {
      return exceptionAnswer(
        new ServerException(400, {
          type: 'too_long_http_line_exception',
          reason: `An HTTP line is larger than ${maxLineBytes} bytes.`,
        }),
      );
    }
    if (received.kind === 'broken') return exceptionAnswer(received.exception);
    const { cluster, router } = this.#parts;
    return dispatch(cluster, router, { method, url, headers: request.headers, body, media });
  }

  #write(
    request: IncomingMessage,
    response: ServerResponse,
    arrived: number,
    status: number,
    headers: string[],
    body: string | Buffer,
  ): void {
    response.sendDate = false;
    response.writeHead(status, headers);
    response.end(body);
    const now = performance.now();
    this.#parts.ledger.add({
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      status,
      timeMs: performance.timeOrigin + arrived,
      durationMs: now - arrived,
    });
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
