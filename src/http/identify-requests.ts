/** Who asks, and whether they may. */
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access, Authenticate, Scope } from './api-keys.ts';
import type { SessionAccess } from './console/sessions.ts';
import { isEsUrl } from './elasticsearch/es-answerer.ts';
import type { DoorOptions } from './ports.ts';
import { Problem } from './problem.ts';
import { refuseForeignPages } from './refuse-foreign-pages.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key needs for this route; absent: nothing. */
    readonly scope?: Scope;
    /** Where a browser is sent whose person has not shown a key; absent: it is refused like any other. */
    readonly signInAt?: string;
  }
  interface FastifyRequest {
    access: Access;
  }
}

/** How it is found out who asks. */
export interface Identification {
  readonly authenticate: Authenticate;
  /** Who has shown a key before, by the cookie of a browser. */
  readonly recall: (request: FastifyRequest) => SessionAccess | undefined;
}

/** Says who asks and by which id, before anything else is done. */
export function identifyRequests(
  server: FastifyInstance,
  options: DoorOptions,
  { authenticate, recall }: Identification,
): void {
  const isOpen = options.apiKeys.length === 0;
  server.addHook('onRequest', async (request, reply) => {
    const access = authenticate(request.headers.authorization);
    const recalled = access.kind === 'missing' ? recall(request) : undefined;
    request.access = recalled ?? access;
    reply.header('x-request-id', request.id);
    const opaqueId = request.headers['x-opaque-id'];
    if (typeof opaqueId === 'string' && opaqueId.length <= 512) reply.header('x-opaque-id', opaqueId);
    // Without keys only this machine may ask. A web page whose name has been pointed at it is not this machine.
    const isHealth = request.routeOptions.config.scope === undefined && !isEsUrl(request);
    if (isOpen && !isHealth && !isLoopbackHost(request.headers.host)) {
      throw new Problem('forbidden', { detail: 'Without API keys only localhost is served.' });
    }
    const isBrowser = recalled !== undefined;
    if (isOpen || isBrowser) refuseForeignPages(request, isOpen ? options.corsOrigins : [], isBrowser);
    const { scope, signInAt } = request.routeOptions.config;
    if (scope === undefined) return;
    if (signInAt !== undefined && request.access.kind === 'missing' && isNavigation(request)) {
      await reply.redirect(signInAt);
      return;
    }
    authorize(request.access, scope);
  });
}

const isNavigation = ({ method, headers }: FastifyRequest): boolean =>
  method === 'GET' && (headers.accept ?? '').includes('text/html');

/**
 * Refuses who may not.
 *
 * @throws {Problem} `unauthorized` or `forbidden`
 */
export function authorize(access: Access, scope: Scope): void {
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
