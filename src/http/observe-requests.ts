import type { FastifyInstance } from 'fastify';
import type { DoorContext } from './ports.ts';

/** One line of log and one count for each answer; never a path, a header or a body. */
export function observeRequests(server: FastifyInstance, { log, metrics }: DoorContext): void {
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const { method } = request;
    const status = reply.statusCode;
    const durationMs = reply.elapsedTime;
    // A stream of events lasts as long as somebody looks, which says nothing of how fast the door is.
    if (reply.getHeader('content-type') === 'text/event-stream') return;
    metrics.answered({ route, method, status, durationMs });
    const client = request.access?.kind === 'granted' ? request.access.name : undefined;
    const fields = {
      request_id: request.id,
      client,
      method,
      route,
      status,
      duration_ms: Math.round(durationMs),
      ...request.trace?.ids,
    };
    if (status >= 500) log.warn(fields, 'request failed');
    else if (status >= 400) log.info(fields, 'request refused');
    else log.debug(fields, 'request answered');
  });
}
