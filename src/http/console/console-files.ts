import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import serveFiles from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** The page and what belongs to it, as they lie in the package; the same from `src` and from `dist`. */
const PAGE = fileURLToPath(new URL('../../../console/', import.meta.url));
const CHARTS = dirname(fileURLToPath(import.meta.resolve('uplot')));

/** Files of the page, and of the charts' package the two that it takes. */
const SERVED = /^\/?(?:[a-z][a-z-]*\.(?:js|css|svg|html)|uPlot\.esm\.js|uPlot\.min\.css)$/;

/**
 * Nothing from elsewhere, no script and no style in the page itself, and no text that becomes markup: what the
 * page shows was written by others.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Adds the page, `/`, and its files. Whoever has no key sees no more than where to show one. */
export async function addConsoleFiles(server: FastifyInstance): Promise<void> {
  server.addHook('onSend', async (_request, reply) => {
    reply.header('content-security-policy', POLICY);
  });
  await server.register(serveFiles, {
    root: [PAGE, CHARTS],
    prefix: '/console/',
    index: false,
    allowedPath: (path) => SERVED.test(path),
    // The files change with the package, and a page of yesterday speaks to a door of today.
    cacheControl: false,
    setHeaders: (reply) => {
      reply.header('cache-control', 'no-cache');
    },
    schemaHide: true,
  });
  server.get('/', { schema: { hide: true } }, (_request, reply) => reply.sendFile('index.html', PAGE));
}
