import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { DoorOptions, DoorQueue, FleetWatch } from '../ports.ts';
import { addQueueBoard } from '../queue-board.ts';
import { addConsoleFiles } from './console-files.ts';
import { addLiveRoutes } from './live-routes.ts';
import { addSessionRoutes, type SessionContext } from './session-routes.ts';
import type { SessionAccess } from './sessions.ts';

/** How people at a browser are known. */
export interface ConsoleAccess extends Omit<SessionContext, 'options'> {
  readonly recall: (request: FastifyRequest) => SessionAccess | undefined;
}

/** Adds the console: its page, its sessions, its stream of events, and Bull Board. */
export async function addConsole(
  server: FastifyInstance,
  options: DoorOptions,
  queue: DoorQueue,
  fleet: FleetWatch,
  access: ConsoleAccess,
): Promise<void> {
  const { recall } = access;
  addSessionRoutes(server, { options, ...access });
  // Who has shown a key with the request itself may look as long as the connection lasts.
  addLiveRoutes(server, queue, fleet, (request) =>
    recall(request) === undefined ? () => true : () => recall(request) !== undefined,
  );
  await server.register(addConsoleFiles);
  const { openBoard } = queue;
  if (openBoard !== undefined) await server.register((scope) => addQueueBoard(scope, openBoard));
}
