/** What keys with the scope `operate` do with dead letters: redrive, edit, purge. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { DeadLetterFilter } from '../domain/dead-letter-filter.ts';
import type { JsonPatch } from '../pipeline/patch-report.ts';
import type { Log } from '../pipeline/ports.ts';
import type { RedriveOptions, RedriveRun } from '../pipeline/redrive-ports.ts';
import type { DeadLetterDesk, DoorLimits } from './ports.ts';
import { Problem } from './problem.ts';
import { readJson } from './read-json.ts';
import {
  editSchema,
  filterOf,
  listRunsSchema,
  purgeManySchema,
  purgeOneSchema,
  purgeQuerySchema,
  redriveManySchema,
  redriveOneSchema,
  redriveSchema,
  runSchema,
} from './schemas.ts';

interface OperateContext {
  readonly log: Log;
  readonly limits: Pick<DoorLimits, 'maxBodyBytes' | 'bodyTimeoutMs'>;
}

type WithId = { Params: { id: string } };

const operate = { scope: 'operate' } as const;

/** Adds the routes. A run goes on after its request was answered, and is interrupted where the door closes. */
export function addOperateRoutes(
  server: FastifyInstance,
  desk: DeadLetterDesk,
  { log, limits }: OperateContext,
): void {
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  server.addHook('onClose', async () => {
    closing.abort();
    await Promise.all(running);
  });

  const bodyOf = (request: FastifyRequest): Promise<unknown> =>
    readJson(request, limits.maxBodyBytes, limits.bodyTimeoutMs);

  async function begin(
    filter: DeadLetterFilter,
    options: RedriveOptions,
    reply: FastifyReply,
  ): Promise<RedriveRun> {
    const begun = Promise.withResolvers<RedriveRun>();
    const hooks = { signal: closing.signal, onBegin: begun.resolve };
    const carriedOut: Promise<unknown> = desk
      .redrive(filter, options, hooks)
      .catch((error: unknown) => {
        begun.reject(error);
        log.warn({ error: error instanceof Error ? error.message : String(error) }, 'redrive ended early');
      })
      .finally(() => running.delete(carriedOut));
    running.add(carriedOut);
    const run = await begun.promise;
    reply.status(202).header('location', `/v1/redrives/${run.id}`);
    return run;
  }

  server.post(
    '/v1/dead-letters/redrive',
    { schema: redriveManySchema, config: operate },
    async (request, reply) => {
      const input = understood(redriveSchema, await bodyOf(request));
      const filter = filterOf(input.filter ?? {});
      refuseEverything(filter, input.all === true);
      const { rate, limit, canary } = input;
      const { stop_after: stopAfter, max_redrives: maxRedrives } = input;
      return begin(filter, { by: nameOf(request), rate, limit, canary, stopAfter, maxRedrives }, reply);
    },
  );

  server.post<WithId>(
    '/v1/dead-letters/:id/redrive',
    { schema: redriveOneSchema, config: operate },
    async (request, reply) => begin({ ids: [request.params.id] }, { by: nameOf(request) }, reply),
  );

  server.patch<WithId>('/v1/dead-letters/:id', { schema: editSchema, config: operate }, async (request) => {
    const patch = (await bodyOf(request)) as JsonPatch;
    if (!Array.isArray(patch)) throw new Problem('bad_request', { detail: 'A JSON patch is an array.' });
    const result = await desk.edit(request.params.id, patch, nameOf(request));
    switch (result.status) {
      case 'edited':
        return result.letter;
      case 'unchanged':
        return result;
      case 'unknown':
        throw noSuch('dead letter');
      case 'invalid':
        throw new Problem('invalid_report', { members: { problems: result.problems } });
      case 'no-patch':
        throw new Problem('bad_request', { detail: result.reason });
    }
  });

  server.delete<WithId>(
    '/v1/dead-letters/:id',
    { schema: purgeOneSchema, config: operate },
    async (request) => {
      const purged = await desk.purge({ ids: [request.params.id] }, nameOf(request));
      if (purged === 0) throw noSuch('dead letter');
      return { purged };
    },
  );

  server.delete('/v1/dead-letters', { schema: purgeManySchema, config: operate }, async (request) => {
    const { all, ...conditions } = understood(purgeQuerySchema, request.query);
    const filter = filterOf(conditions);
    refuseEverything(filter, all === 'true');
    return { purged: await desk.purge(await desk.upToNow(filter), nameOf(request)) };
  });

  server.get('/v1/redrives', { schema: listRunsSchema, config: { scope: 'read' } }, async () => ({
    redrives: await desk.redriveRuns(),
  }));

  server.get<WithId>(
    '/v1/redrives/:id',
    { schema: runSchema, config: { scope: 'read' } },
    async (request) => {
      const run = await desk.redriveRun(request.params.id);
      if (run === undefined) throw noSuch('redrive run');
      return run;
    },
  );

  server.delete<WithId>('/v1/redrives/:id', { schema: runSchema, config: operate }, async (request) => {
    const { id } = request.params;
    const result = await desk.cancelRedrive(id, nameOf(request));
    if (result === 'unknown') throw noSuch('redrive run');
    if (result === 'over') throw new Problem('conflict', { detail: 'The run is over already.' });
    return { id, state: 'cancelled' };
  });
}

/** Who is written down as having done it. */
export const nameOf = ({ access }: FastifyRequest): string =>
  access.kind === 'granted' ? `http:${access.name}` : 'http';

const noSuch = (what: string): Problem => new Problem('not_found', { detail: `There is no such ${what}.` });

/**
 * What a value is by its schema.
 *
 * @throws {Problem} `bad_request` with all that is wrong
 */
export function understood<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  throw new Problem('bad_request', { detail: 'The request cannot be understood.', members: { problems } });
}

/** Whoever forgets the condition must not have meant every letter. */
function refuseEverything(filter: DeadLetterFilter, isMeant: boolean): void {
  if (isMeant || Object.keys(filter).length > 0) return;
  throw new Problem('bad_request', {
    detail: 'No condition is given; every dead letter is meant only with "all".',
  });
}
