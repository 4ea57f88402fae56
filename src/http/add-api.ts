/** Everything that is done with reports and dead letters, behind the limits that hold for all of it. */
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import underPressure from '@fastify/under-pressure';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Backlog } from './backlog.ts';
import { addConsole, type ConsoleAccess } from './console/add-console.ts';
import { addDeadLetterRoutes } from './dead-letter-routes.ts';
import { DOCS_CSS, docsPage } from './docs-page.ts';
import { type EsAnswerer, sendEs } from './elasticsearch/es-answerer.ts';
import { logFault } from './log-fault.ts';
import { addOperateRoutes } from './operate-routes.ts';
import type { DoorContext, DoorOptions, DoorQueue } from './ports.ts';
import { Problem } from './problem.ts';
import { addQueueRoutes } from './queue-routes.ts';
import { addReportRoutes } from './report-routes.ts';
import { errorCallSchema } from './schemas.ts';

/** Event-loop delay from which on this process counts as too busy, in milliseconds. */
const MAX_DELAY_MS = 1_000;

export interface ApiContext {
  readonly options: DoorOptions;
  readonly context: DoorContext;
  readonly queue: DoorQueue;
  readonly backlog: Backlog;
  readonly es: EsAnswerer;
  readonly console: ConsoleAccess;
}

/** Adds it. */
export async function addApi(
  api: FastifyInstance,
  { options, context, queue, backlog, es, console }: ApiContext,
): Promise<void> {
  await api.register(underPressure, {
    maxEventLoopDelay: MAX_DELAY_MS,
    exposeStatusRoute: false,
    pressureHandler: () => {
      throw new Problem('overloaded', { retryAfterS: 2 });
    },
  });
  await api.register(rateLimit, {
    max: options.limits.requestsPerSecond,
    timeWindow: 1_000,
    enableDraftSpec: true,
    keyGenerator: ({ access, ip }) =>
      access.kind === 'granted' && options.apiKeys.length > 0 ? access.name : ip,
    errorResponseBuilder: (_request, { ttl }) =>
      new Problem('rate_limited', { retryAfterS: Math.max(1, Math.ceil(ttl / 1_000)) }),
  });
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'sync-error-relay',
        version: options.version,
        description: 'Takes connector sync-job errors to Elasticsearch through a queue, and loses none.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          apiKey: {
            type: 'apiKey',
            in: 'header',
            name: 'Authorization',
            description: '`ApiKey <encoded key>`',
          },
          bearer: { type: 'http', scheme: 'bearer' },
        },
      },
      security: [{ apiKey: [] }, { bearer: [] }],
    },
  });
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    sendEs(reply, await es(request));
  api.put('/_connector/_sync_job/:connector_sync_job_id/_error', { schema: errorCallSchema }, handler);
  api.all('/_*', { schema: { hide: true } }, handler);
  addReportRoutes(api, {
    queue,
    backlog,
    metrics: context.metrics,
    options,
    onFailure: (error) => logFault(context.log, error),
  });
  addDeadLetterRoutes(api, queue);
  if (queue.desk !== undefined)
    addOperateRoutes(api, queue.desk, { log: context.log, limits: options.limits });
  if (queue.fleet !== undefined) {
    addQueueRoutes(api, queue, queue.fleet, options.limits);
    await addConsole(api, options, queue, queue.fleet, console);
  }
  addDocs(api);
}

function addDocs(api: FastifyInstance): void {
  let page: string | undefined;
  api.get('/openapi.json', { schema: { hide: true } }, () => api.swagger());
  api.get('/docs', { schema: { hide: true } }, (_request, reply) => {
    page ??= docsPage(api.swagger() as Parameters<typeof docsPage>[0]);
    return reply.type('text/html; charset=utf-8').send(page);
  });
  api.get('/docs.css', { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/css').send(DOCS_CSS),
  );
}
