/** Fastify as the door needs it: bodies unread, bytes that are no request answered, nothing of a request logged. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { DoorOptions } from './ports.ts';
import { Problem } from './problem.ts';

/** A request's headers have to be there by then, in milliseconds. */
const HEADERS_TIMEOUT_MS = 15_000;
/** Elasticsearch's own limit of headers is 16 KiB; its longest line fits in beside them. */
const MAX_HEADER_BYTES = 32_768;

/** Answers a path that cannot be decoded. */
export type OnBadPath = (error: Error, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** Makes the server, without a route. */
export function createServer({ tls, limits }: DoorOptions, onBadPath: OnBadPath): FastifyInstance {
  const prefix = randomBytes(6).toString('base64url');
  let requests = 0;
  const settings = {
    logger: false,
    // Those that are idle are closed at once, those under way may end.
    forceCloseConnections: 'idle' as const,
    // A stream of reports may take as long as it likes, but not be silent: see `bodyTimeoutMs`.
    requestTimeout: 0,
    connectionTimeout: limits.bodyTimeoutMs * 2,
    keepAliveTimeout: 72_000,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: 5_000,
    },
    bodyLimit: Number.MAX_SAFE_INTEGER,
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    genReqId: ({ headers }: { readonly headers: NodeJS.Dict<string | string[]> }): string => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : `${prefix}-${++requests}`;
    },
    // A path that cannot be decoded. Nothing of the request has been looked at yet.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      void onBadPath(error, request, reply);
    },
    clientErrorHandler: refuseUnreadable,
  };
  const server: FastifyInstance =
    tls === undefined
      ? fastify(settings)
      : (fastify({ ...settings, https: { ...settings.http, ...tls } }) as unknown as FastifyInstance);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => done(null));
  // Schemas describe; what comes is parsed by the same schemas where it is used.
  server.setValidatorCompiler(() => () => true);
  server.setSerializerCompiler(() => JSON.stringify);
  return server;
}

/** Answers bytes that are no request. */
function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const problem = new Problem(
    isLate ? 'timeout' : 'bad_request',
    isLate ? {} : { detail: 'This is not HTTP.' },
  );
  const body = JSON.stringify(problem.toJSON());
  socket.end(
    `HTTP/1.1 ${problem.status} ${isLate ? 'Request Timeout' : 'Bad Request'}\r\n` +
      `content-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}
