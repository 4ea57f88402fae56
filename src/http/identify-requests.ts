/** Who asks, and whether they may. */
import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Access, Authenticate, Scope } from './api-keys.ts';
import { isEsUrl } from './elasticsearch/es-answerer.ts';
import type { DoorOptions } from './ports.ts';
import { Problem } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key needs for this route; absent: nothing. */
    readonly scope?: Scope;
  }
  interface FastifyRequest {
    access: Access;
  }
}

/** Says who asks and by which id, before anything else is done. */
export function identifyRequests(
  server: FastifyInstance,
  options: DoorOptions,
  authenticate: Authenticate,
): void {
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
