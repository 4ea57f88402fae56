/**
 * The HTTP door: health and metrics for everybody who reaches it, reports and dead letters for whoever has a
 * key.
 *
 * Bodies are not read by Fastify. Elasticsearch's path needs the bytes as they came, a stream of reports is
 * never whole in memory, and whoever has no key has nothing read at all.
 */
import cookies from '@fastify/cookie';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { addApi } from './add-api.ts';
import { allowOrigins } from './allow-origins.ts';
import { answerFailures, sendProblem } from './answer-failures.ts';
import { authenticator, openToAll } from './api-keys.ts';
import { watchBacklog } from './backlog.ts';
import { sessionCookie } from './console/session-cookie.ts';
import { openSessions, type SessionAccess } from './console/sessions.ts';
import { createServer } from './create-server.ts';
import { esAnswerer, isEsUrl, sendEs } from './elasticsearch/es-answerer.ts';
import { addHealthRoutes } from './health-routes.ts';
import { identifyRequests, isLoopbackHost } from './identify-requests.ts';
import { observeRequests } from './observe-requests.ts';
import type { DoorContext, DoorOptions } from './ports.ts';
import { problemOfError } from './problem-of-error.ts';
import { protectAnswers } from './protect-answers.ts';
import { traceRequests } from './trace-requests.ts';

export interface Door {
  /** Where it listens, for instance `http://127.0.0.1:9090`. */
  readonly address: string;
  close(): Promise<void>;
}

/** How long requests under way may take to end when the door closes, in milliseconds. */
const CLOSING_MS = 5_000;

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
  traceRequests(server, context.tracing);
  observeRequests(server, context);
  protectAnswers(server, options.tls !== undefined);
  await allowOrigins(server, options.corsOrigins);
  await server.register(cookies);
  const sessions = openSessions(Date.now);
  const cookie = sessionCookie(options.tls !== undefined);
  const recall = (request: FastifyRequest): SessionAccess | undefined => {
    const id = cookie.read(request);
    return id === undefined ? undefined : sessions.find(id);
  };
  identifyRequests(server, options, { authenticate, recall });
  addHealthRoutes(server, context);
  answerFailures(server, context, es);
  if (queue !== undefined && backlog !== undefined) {
    await server.register((api) =>
      addApi(api, {
        options,
        context,
        queue,
        backlog,
        es,
        console: { sessions, cookie, recall, authenticate },
      }),
    );
  }
  return server;
}
