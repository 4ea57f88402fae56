/** `/v1/queue`: how the queue and its workers stand, and the switch that stops them. */
import type { FastifyInstance } from 'fastify';
import { nameOf, understood } from './operate-routes.ts';
import { readOverview } from './overview.ts';
import type { DoorLimits, DoorQueue, FleetWatch } from './ports.ts';
import { readJson } from './read-json.ts';
import { pauseQueueSchema, pauseSchema, resumeQueueSchema, showQueueSchema } from './schemas.ts';

/** Adds the routes. */
export function addQueueRoutes(
  server: FastifyInstance,
  queue: DoorQueue,
  fleet: FleetWatch,
  { maxBodyBytes, bodyTimeoutMs }: Pick<DoorLimits, 'maxBodyBytes' | 'bodyTimeoutMs'>,
): void {
  server.get('/v1/queue', { schema: showQueueSchema, config: { scope: 'read' } }, () =>
    readOverview(queue, fleet, Date.now()),
  );

  server.post(
    '/v1/queue/pause',
    { schema: pauseQueueSchema, config: { scope: 'operate' } },
    async (request) => {
      const body = hasBody(request.headers) ? await readJson(request, maxBodyBytes, bodyTimeoutMs) : {};
      const { reason } = understood(pauseSchema, body);
      const note = {
        by: nameOf(request),
        at: new Date().toISOString(),
        ...(reason === undefined ? {} : { reason }),
      };
      const result = await fleet.pause(note);
      return result.status === 'paused' ? { status: 'paused', note } : result;
    },
  );

  server.post('/v1/queue/resume', { schema: resumeQueueSchema, config: { scope: 'operate' } }, () =>
    fleet.resume(),
  );
}

/** The reason is optional, and so is the object around it. */
function hasBody(headers: NodeJS.Dict<string | string[]>): boolean {
  const length = headers['content-length'];
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined;
}
