/** `/v1/dead-letters`: what could not pass. */
import type { FastifyInstance } from 'fastify';
import type { DoorQueue } from './ports.ts';
import { Problem } from './problem.ts';
import { deadLetterQuerySchema, filterOf, listDeadLettersSchema, showDeadLetterSchema } from './schemas.ts';

/** Adds the routes. */
export function addDeadLetterRoutes(server: FastifyInstance, { deadLetters }: DoorQueue): void {
  server.get(
    '/v1/dead-letters',
    { schema: listDeadLettersSchema, config: { scope: 'read' } },
    async (request) => {
      const parsed = deadLetterQuerySchema.safeParse(request.query);
      if (!parsed.success) {
        const problems = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
        throw new Problem('bad_request', {
          detail: 'The query cannot be understood.',
          members: { problems },
        });
      }
      const { limit, offset, cursor, ...filter } = parsed.data;
      const query = { ...filterOf(filter), limit, cursor, ...(offset === undefined ? {} : { offset }) };
      const page = await deadLetters.list(query).catch((error: unknown) => {
        // What a cursor holds is the store's business.
        if (error instanceof RangeError) throw new Problem('bad_request', { detail: error.message });
        throw error;
      });
      return {
        total: page.total,
        ...(page.isAtLeast === true ? { total_is_at_least: true } : {}),
        dead_letters: page.letters,
        ...(page.next === undefined ? {} : { next: page.next }),
      };
    },
  );

  server.get<{ Params: { id: string } }>(
    '/v1/dead-letters/:id',
    { schema: showDeadLetterSchema, config: { scope: 'read' } },
    async ({ params: { id } }) => {
      const letter = id.length <= 512 ? await deadLetters.get(id) : undefined;
      if (letter === undefined)
        throw new Problem('not_found', { detail: 'There is no dead letter with this id.' });
      return letter;
    },
  );
}
