/**
 * The HTTP door: health and metrics for everybody who reaches it, reports and dead letters for whoever has a
 * key.
 *
 * Bodies are not read by Fastify. Elasticsearch's path needs the bytes as they came, a stream of reports is
 * never whole in memory, and whoever has no key has nothing read at all.
 */
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import underPressure from '@fastify/under-pressure';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { errorReportParser } from '../domain/error-report.ts';
import { checkHealth } from '../pipeline/check-health.ts';
import { type Access, type Authenticate, authenticator, openToAll, type Scope } from './api-keys.ts';
import { type Backlog, watchBacklog } from './backlog.ts';
import { addDeadLetterRoutes } from './dead-letter-routes.ts';
import { DOCS_CSS, docsPage } from './docs-page.ts';
import {
  answerErrorCall,
  answerFailure,
  type EsAnswer,
  type EsContext,
} from './elasticsearch/answer-error-call.ts';
import { failureOfError } from './elasticsearch/failure-of-problem.ts';
import { addOperateRoutes } from './operate-routes.ts';
import type { DoorContext, DoorOptions, DoorQueue } from './ports.ts';
import { Problem } from './problem.ts';
import { problemOfError } from './problem-of-error.ts';
import { readBody } from './read-body.ts';
import { addReportRoutes } from './report-routes.ts';
import { errorCallSchema } from './schemas.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key needs for this route; absent: nothing. */
    readonly scope?: Scope;
  }
  interface FastifyRequest {
    access: Access;
  }
}

export interface Door {
  /** Where it listens, for instance `http://127.0.0.1:9090`. */
  readonly address: string;
  close(): Promise<void>;
}

/** How long requests under way may take to end when the door closes, in milliseconds. */
const CLOSING_MS = 5_000;
/** Event-loop delay from which on this process counts as too busy, in milliseconds. */
const MAX_DELAY_MS = 1_000;
/** A request's headers have to be there by then, in milliseconds. */
const HEADERS_TIMEOUT_MS = 15_000;
/** Elasticsearch's own limit of headers is 16 KiB; its longest line fits in beside them. */
const MAX_HEADER_BYTES = 32_768;

/**
 * Opens the door.
 *
 * @throws {Error} where it cannot listen there
 */
export async function openDoor(options: DoorOptions, context: DoorContext): Promise<Door> {
  const server = await buildDoor(options, context);
  const address = await server.listen({ host: options.host, port: options.port });
  return {
    address,
    async close() {
      // A stream of reports may have no end of its own.
      const impatience = setTimeout(() => server.server.closeAllConnections(), CLOSING_MS);
      await server.close().finally(() => clearTimeout(impatience));
    },
  };
}

/** The door before it listens, for tests that speak to it without a network. */
export async function buildDoor(options: DoorOptions, context: DoorContext): Promise<FastifyInstance> {
  const { queue } = context;
  const backlog =
    queue === undefined ? undefined : watchBacklog(() => queue.depth(), options.limits.maxBacklog, Date.now);
  const es = esAnswerer(options, context, backlog);
  const server = createServer(options, async (error, request, reply) => {
    request.access = authenticate(request.headers.authorization);
    const isForeign = options.apiKeys.length === 0 && !isLoopbackHost(request.headers.host);
    // Escapes that are no UTF-8 are none of the router's liking, and Elasticsearch takes them.
    if (queue !== undefined && isEsUrl(request) && !isForeign) return sendEs(reply, await es(request));
    return sendProblem(reply, problemOfError(error));
  });
  const authenticate = options.apiKeys.length === 0 ? openToAll : authenticator(options.apiKeys);
  // Set for each request by the hook below.
  server.decorateRequest('access', null as never);
  addObservation(server, context);
  addIdentification(server, options, authenticate);
  await server.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], styleSrc: ["'self'"], frameAncestors: ["'none'"] },
    },
    strictTransportSecurity: options.tls !== undefined,
  });
  addHealth(server, context);
  addErrorHandling(server, context, es);
  if (queue !== undefined && backlog !== undefined) {
    await server.register((api) => addApi(api, { options, context, queue, backlog, es }));
  }
  return server;
}

type OnBadPath = (error: Error, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

function createServer({ tls, limits }: DoorOptions, onBadPath: OnBadPath): FastifyInstance {
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
function refuseUnreadable(
  error: Error & { readonly code?: string },
  socket: import('node:net').Socket,
): void {
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

/** One line of log and one count for each answer; never a path, a header or a body. */
function addObservation(server: FastifyInstance, { log, metrics }: DoorContext): void {
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const { method } = request;
    const status = reply.statusCode;
    const durationMs = reply.elapsedTime;
    metrics.answered({ route, method, status, durationMs });
    const client = request.access?.kind === 'granted' ? request.access.name : undefined;
    const fields = {
      request_id: request.id,
      client,
      method,
      route,
      status,
      duration_ms: Math.round(durationMs),
    };
    if (status >= 500) log.warn(fields, 'request failed');
    else if (status >= 400) log.info(fields, 'request refused');
    else log.debug(fields, 'request answered');
  });
}

/** Says who asks and by which id, before anything else is done. */
function addIdentification(server: FastifyInstance, options: DoorOptions, authenticate: Authenticate): void {
  const isOpen = options.apiKeys.length === 0;
  server.addHook('onRequest', async (request, reply) => {
    request.access = authenticate(request.headers.authorization);
    reply.header('x-request-id', request.id);
    const opaqueId = request.headers['x-opaque-id'];
    if (typeof opaqueId === 'string' && opaqueId.length <= 512) reply.header('x-opaque-id', opaqueId);
    // Without keys only this machine may ask. A web page whose name has been pointed at it is not this machine.
    const isHealth = request.routeOptions.config.scope === undefined && !isEsUrl(request);
    if (isOpen && !isHealth && !isLoopbackHost(request.headers.host)) {
      throw new Problem('forbidden', { detail: 'Without API keys only localhost is served.' });
    }
    const { scope } = request.routeOptions.config;
    if (scope !== undefined) authorize(request.access, scope);
  });
}

function authorize(access: Access, scope: Scope): void {
  if (access.kind !== 'granted') {
    throw new Problem('unauthorized', {
      headers: { 'www-authenticate': 'ApiKey, Bearer realm="sync-error-relay"' },
    });
  }
  if (!access.scopes.includes(scope)) {
    throw new Problem('forbidden', { detail: `This key does not have the scope ${scope}.` });
  }
}

/** Whether a Host header, or a host to listen on, names this machine and nothing else. */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = (host ?? '')
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

function addHealth(server: FastifyInstance, { checks, metrics }: DoorContext): void {
  server.get('/livez', { schema: { hide: true } }, () => ({ status: 'alive' }));
  server.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const health = await checkHealth(checks);
    return reply.status(health.ready ? 200 : 503).send(health);
  });
  server.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    // Open where there are no keys, wherever it listens: there is nothing in it but numbers.
    authorize(request.access, 'read');
    return reply.type(metrics.contentType).send(await metrics.print());
  });
}

type EsAnswerer = (request: FastifyRequest) => Promise<EsAnswer>;

/** Paths of Elasticsearch's begin with an underscore; what is wrong with them is said in its words. */
const isEsUrl = ({ raw }: FastifyRequest): boolean => /^\/?_/.test(raw.url ?? '');

function esAnswerer(options: DoorOptions, context: DoorContext, backlog: Backlog | undefined): EsAnswerer {
  const { queue, metrics, log } = context;
  const esContext: EsContext = {
    parse: errorReportParser(options.reports),
    async accept(report) {
      if (queue === undefined || backlog === undefined) throw new Problem('not_found');
      await backlog.admit();
      const result = await queue.accept(report);
      metrics.counted('elasticsearch', result.status);
      return result;
    },
    failureOf(error) {
      logFault(log, error);
      return failureOfError(error);
    },
  };
  const { maxBodyBytes, bodyTimeoutMs } = options.limits;
  return (request) =>
    answerErrorCall(
      {
        method: request.method,
        url: request.raw.url ?? '/',
        headers: request.raw.headers,
        access: request.access,
        readBody: () => readBody(request.raw, { maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs }),
      },
      esContext,
    );
}

/** As bytes: to a text Fastify would add a charset, which Elasticsearch does not send. */
function sendEs(reply: FastifyReply, { status, headers, body }: EsAnswer): FastifyReply {
  return reply
    .status(status)
    .headers(headers as Record<string, string>)
    .send(body === '' ? undefined : Buffer.from(body));
}

/** Says of a fault what the client is not told. */
function logFault(log: DoorContext['log'], error: unknown): void {
  if (problemOfError(error).status < 500) return;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  log.warn({ error: text }, 'request could not be answered');
}

/** Every path of the API with the methods it knows. */
const API_PATHS: readonly (readonly [RegExp, string])[] = [
  [/^\/v1\/reports$/, 'POST'],
  [/^\/v1\/reports\/[^/]+$/, 'GET,HEAD'],
  [/^\/v1\/dead-letters\/redrive$/, 'POST'],
  [/^\/v1\/dead-letters$/, 'GET,HEAD,DELETE'],
  [/^\/v1\/dead-letters\/[^/]+$/, 'GET,HEAD,PATCH,DELETE'],
  [/^\/v1\/dead-letters\/[^/]+\/redrive$/, 'POST'],
  [/^\/v1\/redrives$/, 'GET,HEAD'],
  [/^\/v1\/redrives\/[^/]+$/, 'GET,HEAD,DELETE'],
  [/^\/(openapi\.json|docs|docs\.css)$/, 'GET,HEAD'],
];
const HEALTH_PATHS: typeof API_PATHS = [[/^\/(livez|readyz|metrics)$/, 'GET,HEAD']];

function addErrorHandling(server: FastifyInstance, { log, queue }: DoorContext, answerEs: EsAnswerer): void {
  server.setNotFoundHandler(async (request, reply) => {
    if (isEsUrl(request) && queue !== undefined) return sendEs(reply, await answerEs(request));
    const path = (request.raw.url ?? '').split('?', 1)[0] ?? '';
    const known = queue === undefined ? HEALTH_PATHS : [...API_PATHS, ...HEALTH_PATHS];
    const allowed = known.find(([pattern]) => pattern.test(path))?.[1];
    if (allowed === undefined) throw new Problem('not_found');
    if (request.method === 'OPTIONS') return reply.status(204).header('allow', allowed).send();
    throw new Problem('method_not_allowed', { headers: { allow: allowed } });
  });
  server.setErrorHandler(async (error, request, reply) => {
    if (isEsUrl(request) && queue !== undefined) {
      // Fastify looks at media types first; Elasticsearch has its own opinion of them.
      const isMediaType = (error as { code?: string }).code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
      return sendEs(reply, isMediaType ? await answerEs(request) : answerFailure(failureOfError(error)));
    }
    logFault(log, error);
    return sendProblem(reply, problemOfError(error));
  });
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .status(problem.status)
    .headers(problem.headers)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(problem)));
}

interface ApiContext {
  readonly options: DoorOptions;
  readonly context: DoorContext;
  readonly queue: DoorQueue;
  readonly backlog: Backlog;
  readonly es: EsAnswerer;
}

async function addApi(
  api: FastifyInstance,
  { options, context, queue, backlog, es }: ApiContext,
): Promise<void> {
  await api.register(underPressure, {
    maxEventLoopDelay: MAX_DELAY_MS,
    exposeStatusRoute: false,
    pressureHandler: () => {
      throw new Problem('overloaded', { retryAfterS: 2 });
    },
  });
  await api.register(rateLimit, {
    max: options.limits.requestsPerSecond,
    timeWindow: 1_000,
    enableDraftSpec: true,
    keyGenerator: ({ access, ip }) =>
      access.kind === 'granted' && options.apiKeys.length > 0 ? access.name : ip,
    errorResponseBuilder: (_request, { ttl }) =>
      new Problem('rate_limited', { retryAfterS: Math.max(1, Math.ceil(ttl / 1_000)) }),
  });
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'sync-error-relay',
        version: options.version,
        description: 'Takes connector sync-job errors to Elasticsearch through a queue, and loses none.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          apiKey: {
            type: 'apiKey',
            in: 'header',
            name: 'Authorization',
            description: '`ApiKey <encoded key>`',
          },
          bearer: { type: 'http', scheme: 'bearer' },
        },
      },
      security: [{ apiKey: [] }, { bearer: [] }],
    },
  });
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    sendEs(reply, await es(request));
  api.put('/_connector/_sync_job/:connector_sync_job_id/_error', { schema: errorCallSchema }, handler);
  api.all('/_*', { schema: { hide: true } }, handler);
  addReportRoutes(api, {
    queue,
    backlog,
    metrics: context.metrics,
    options,
    onFailure: (error) => logFault(context.log, error),
  });
  addDeadLetterRoutes(api, queue);
  if (queue.desk !== undefined)
    addOperateRoutes(api, queue.desk, { log: context.log, limits: options.limits });
  addDocs(api);
}

function addDocs(api: FastifyInstance): void {
  let page: string | undefined;
  api.get('/openapi.json', { schema: { hide: true } }, () => api.swagger());
  api.get('/docs', { schema: { hide: true } }, (_request, reply) => {
    page ??= docsPage(api.swagger() as Parameters<typeof docsPage>[0]);
    return reply.type('text/html; charset=utf-8').send(page);
  });
  api.get('/docs.css', { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/css').send(DOCS_CSS),
  );
}
