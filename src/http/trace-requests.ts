import type { FastifyInstance } from 'fastify';
import type { ServedTrace, Tracing } from '../pipeline/tracing.ts';
import { isEsUrl } from './elasticsearch/es-answerer.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where somebody follows the request. */
    trace?: ServedTrace;
  }
}

/**
 * Follows requests that hand reports in or ask for some, as a part of the trace that they say they belong to. What
 * asks for health and metrics, every few seconds and for ever, is not followed.
 */
export function traceRequests(server: FastifyInstance, tracing: Pick<Tracing, 'serve'> | undefined): void {
  if (tracing === undefined) return;
  server.addHook('onRequest', (request, _reply, done) => {
    const { url: route = 'none', config } = request.routeOptions;
    if (config.scope === undefined && !isEsUrl(request)) {
      done();
      return;
    }
    const { method, headers } = request;
    request.trace = tracing.serve({ method, route, headers }, done);
  });
  server.addHook('onResponse', async (request, reply) => request.trace?.end(reply.statusCode));
}
