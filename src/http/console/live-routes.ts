/** `/console/events`: what the console shows, sent on as it changes. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FLOW_BUCKET_MS, FLOW_KEPT_MS } from '../../domain/flow.ts';
import type { RedriveRun } from '../../pipeline/redrive-ports.ts';
import { type FlowPoint, flowPoint, type Overview, readOverview } from '../overview.ts';
import type { DoorQueue, FleetWatch } from '../ports.ts';
import { shareAnswer } from './share-answer.ts';

/** How often something is sent, in milliseconds. */
const TICK_MS = 1_000;

/** Buckets that workers may still add to, in milliseconds. */
const UNSETTLED_MS = 4 * FLOW_BUCKET_MS;

/** Runs that are shown. */
const RUNS = 5;

interface Moment {
  readonly overview: Overview;
  readonly flow: readonly FlowPoint[];
  readonly redrives: readonly RedriveRun[];
}

/**
 * Adds the stream of server-sent events:
 *
 * 1. `history`: the flow of the last hour.
 * 2. `moment`, every second: queue, fleet, dead letters, redrives, and the last few seconds of the flow.
 * 3. `away` in its place while Redis does not answer.
 *
 * However many look, Redis is asked once a second.
 *
 * @param holdOf says of a request what tells whether its access still holds; the stream ends when it does not
 */
export function addLiveRoutes(
  server: FastifyInstance,
  queue: DoorQueue,
  fleet: FleetWatch,
  holdOf: (request: FastifyRequest) => () => boolean,
): void {
  const closing = new AbortController();
  server.addHook('preClose', async () => closing.abort());

  const flowSince = async (ms: number): Promise<readonly FlowPoint[]> =>
    (await fleet.flow(Date.now() - ms, Date.now())).map(flowPoint);
  const history = shareAnswer(() => flowSince(FLOW_KEPT_MS), FLOW_BUCKET_MS, Date.now);
  const moment = shareAnswer(readMoment, TICK_MS * 0.8, Date.now);

  async function readMoment(): Promise<Moment> {
    const [overview, flow, redrives] = await Promise.all([
      readOverview(queue, fleet, Date.now()),
      flowSince(UNSETTLED_MS),
      queue.desk?.redriveRuns() ?? [],
    ]);
    return { overview, flow, redrives: redrives.slice(0, RUNS) };
  }

  async function* events(
    mayGoOn: () => boolean,
    signal: AbortSignal,
  ): AsyncGenerator<string, void, undefined> {
    yield 'retry: 2000\n\n';
    let hasHistory = false;
    while (!signal.aborted && mayGoOn()) {
      try {
        if (!hasHistory) yield event('history', { bucket_ms: FLOW_BUCKET_MS, flow: await history() });
        hasHistory = true;
        yield event('moment', await moment());
      } catch {
        // What exactly is wrong with Redis is for the log of whoever asks it, not for the page.
        yield event('away', { at: new Date().toISOString() });
      }
      await sleep(TICK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  server.get('/console/events', { schema: { hide: true }, config: { scope: 'read' } }, (request, reply) => {
    const gone = new AbortController();
    request.raw.on('close', () => gone.abort());
    const signal = AbortSignal.any([closing.signal, gone.signal]);
    const stream = Readable.from(events(holdOf(request), signal));
    return (
      reply
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        // Kept alive, it would hold up a door that closes when its stream has ended.
        .header('connection', 'close')
        .type('text/event-stream')
        .send(stream)
    );
  });
}

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
