import type { Server as HttpServer, IncomingHttpHeaders, RequestListener } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  connectElasticsearch,
  type ElasticsearchConnection,
  type ElasticsearchOptions,
} from '../../../src/adapters/elasticsearch/connector-api.ts';

/** A signal that never fires. */
export const never: AbortSignal = new AbortController().signal;

export const UPDATED = '{"result":"updated"}';

export const PRODUCT: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'x-elastic-product': 'Elasticsearch',
};

export interface RecordedRequest {
  readonly method: string | undefined;
  /** As it came over the wire. */
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Listens on a port of 127.0.0.1, any free one for 0, until the test ends, and then leaves no socket behind. */
export async function listen(server: Server, port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return portOf(server);
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An HTTP server that answers each request with what `respond` says, and remembers what it was asked. */
export async function httpServer(
  respond: RequestListener = (_request, response) => void response.writeHead(200, PRODUCT).end(UPDATED),
  wantedPort = 0,
): Promise<{ url: string; requests: RecordedRequest[]; connections: () => number; server: HttpServer }> {
  const requests: RecordedRequest[] = [];
  let connections = 0;
  const server = createHttpServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      requests.push({ method: request.method, path: request.url, headers: request.headers, body });
      respond(request, response);
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  const port = await listen(server, wantedPort);
  return { url: `http://127.0.0.1:${port}`, requests, connections: () => connections, server };
}

/** A server below HTTP: `onRequest` is called with the socket once the first bytes of a request are there. */
export async function rawServer(onRequest: (socket: Socket) => void): Promise<string> {
  const port = await listen(createTcpServer((socket) => void socket.once('data', () => onRequest(socket))));
  return `http://127.0.0.1:${port}`;
}

/** A connection that is closed when the test ends. */
export function connect(
  nodes: string | readonly string[],
  options: Partial<ElasticsearchOptions> = {},
): ElasticsearchConnection {
  const connection = connectElasticsearch({
    nodes: typeof nodes === 'string' ? [nodes] : nodes,
    requestTimeoutMs: 5_000,
    maxResponseBytes: 100_000,
    ...options,
  });
  onTestFinished(() => connection.close());
  return connection;
}

/** Elasticsearch's error envelope. */
export function envelope(status: number, type: string, reason: string, causedBy?: object): string {
  const cause = causedBy === undefined ? {} : { caused_by: causedBy };
  return JSON.stringify({ error: { root_cause: [{ type, reason }], type, reason, ...cause }, status });
}
