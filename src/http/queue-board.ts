/** `/queues`: what BullMQ itself holds, as Bull Board shows it. */
import { createBullBoard } from '@bull-board/api';
import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { problemOfError } from './problem-of-error.ts';

const PATH = '/queues';

/** Its page carries a few styles of its own. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A font from elsewhere, which the policy forbids: not even asked for. */
const FOREIGN_FONTS = /<link href="https:\/\/fonts\.[^>]*>/g;

/**
 * Adds Bull Board, to look at and not to touch: a job that is removed there would be a report that is lost. What
 * is changed is changed through the dead letters, which know how.
 *
 * @param open opens the queue, read-only, the first time that somebody looks
 */
export async function addQueueBoard(
  server: FastifyInstance,
  open: () => Promise<BaseAdapter>,
): Promise<void> {
  const adapter = new FastifyAdapter();
  adapter.setBasePath(PATH);
  const { setQueues } = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'sync-error-relay', showWorkers: true } },
  });
  adapter.setErrorHandler((error) => {
    const problem = problemOfError(error);
    return { status: problem.status as 500, body: JSON.parse(JSON.stringify(problem)) as never };
  });
  let opening: Promise<void> | undefined;
  server.addHook('preHandler', async () => {
    opening ??= open().then((queue) => setQueues([queue]));
    await opening.catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
  });
  server.addHook('onRoute', (route) => {
    route.config = { ...route.config, scope: 'read', signInAt: '/' };
  });
  server.addHook('onSend', async (_request, reply, payload) => {
    reply.header('content-security-policy', POLICY);
    return typeof payload === 'string' ? payload.replaceAll(FOREIGN_FONTS, '') : payload;
  });
  await server.register(adapter.registerPlugin(), { prefix: PATH });
}
