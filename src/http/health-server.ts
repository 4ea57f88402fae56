import fastify from 'fastify';
import { checkHealth, type HealthCheck } from '../pipeline/check-health.ts';

export interface HealthServer {
  /** Where it listens, for instance `http://127.0.0.1:9090`. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves `/livez`, which says that the process runs and never depends on anything else, and `/readyz`,
 * which says whether it can do its work, with the reasons where it cannot (status 503).
 *
 * @throws {Error} where it cannot listen there
 */
export async function serveHealth(
  where: { readonly host: string; readonly port: number },
  checks: readonly HealthCheck[],
): Promise<HealthServer> {
  const server = fastify({ logger: false, forceCloseConnections: true });
  server.get('/livez', () => ({ status: 'alive' }));
  server.get('/readyz', async (_request, reply) => {
    const health = await checkHealth(checks);
    return reply.status(health.ready ? 200 : 503).send(health);
  });
  return { address: await server.listen(where), close: () => server.close() };
}
