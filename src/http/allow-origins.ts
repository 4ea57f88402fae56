import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** How long a browser may remember what it was allowed, in seconds. */
const MAX_AGE_S = 600;

/**
 * Lets the pages of these origins call the door from a browser; where there are none, every answer is as it was.
 * Cookies are never part of it: whoever calls has a key.
 *
 * To be added before the requests are identified: a preflight carries no key, and a refusal has to be readable.
 */
export async function allowOrigins(server: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  await server.register(cors, {
    origin: (origin, tell) => tell(null, origin !== undefined && allowed.has(origin) ? origin : false),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'X-Request-Id', 'X-Opaque-Id'],
    exposedHeaders: ['Location', 'Retry-After', 'X-Request-Id', 'X-Elastic-Product', 'Allow'],
    maxAge: MAX_AGE_S,
    // An OPTIONS that is no preflight gets the answer that any other gets, and no text of the plugin's.
    strictPreflight: false,
  });
}
