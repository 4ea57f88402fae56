import type { FastifyInstance } from 'fastify';
import { checkHealth } from '../pipeline/check-health.ts';
import { authorize } from './identify-requests.ts';
import type { DoorContext } from './ports.ts';

/** Adds health and metrics. */
export function addHealthRoutes(server: FastifyInstance, { checks, metrics }: DoorContext): void {
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
