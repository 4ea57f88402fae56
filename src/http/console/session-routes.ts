/** `/console/session`: a key is shown once, and a cookie stands for it afterwards. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { DEAD_LETTER_CODES } from '../../domain/codes.ts';
import { DEAD_LETTER_ADVICE, DEAD_LETTER_REASONS } from '../../domain/dead-letter.ts';
import type { Access, Authenticate } from '../api-keys.ts';
import { understood } from '../operate-routes.ts';
import type { DoorOptions } from '../ports.ts';
import { Problem } from '../problem.ts';
import { readJson } from '../read-json.ts';
import { refuseForeignPages } from '../refuse-foreign-pages.ts';
import type { SessionCookie } from './session-cookie.ts';
import type { Sessions } from './sessions.ts';

const signInSchema = z.strictObject({ key: z.string().min(1).max(2_048) });

/** What each code of a dead letter means, and what can be done about it. */
const WORDS = Object.fromEntries(
  DEAD_LETTER_CODES.map((code) => [
    code,
    { reason: DEAD_LETTER_REASONS[code], advice: DEAD_LETTER_ADVICE[code] },
  ]),
);

/** Longest body of a sign-in, in bytes. */
const MAX_BYTES = 4_096;

export interface SessionContext {
  readonly options: DoorOptions;
  readonly sessions: Sessions;
  readonly cookie: SessionCookie;
  readonly authenticate: Authenticate;
}

/** Adds the routes. */
export function addSessionRoutes(
  server: FastifyInstance,
  { options, sessions, cookie, authenticate }: SessionContext,
): void {
  const needsKey = options.apiKeys.length > 0;
  const tell = (access: Access): object =>
    access.kind === 'granted'
      ? { needs_key: needsKey, signed_in: true, name: access.name, scopes: access.scopes }
      : { needs_key: needsKey, signed_in: false };

  server.get('/console/session', { schema: { hide: true } }, (request, reply) =>
    reply.header('cache-control', 'no-store').send(tell(request.access)),
  );

  server.get('/console/words', { schema: { hide: true } }, () => WORDS);

  server.post('/console/session', { schema: { hide: true } }, async (request, reply) => {
    refuseForeignPages(request, [], true);
    const body = await readJson(request, MAX_BYTES, options.limits.bodyTimeoutMs);
    const key = understood(signInSchema, body).key.trim();
    const access = authenticate(/^\w+ /.test(key) ? key : `ApiKey ${key}`);
    if (access.kind !== 'granted') throw new Problem('unauthorized', { detail: 'Nobody has this key.' });
    if (!access.scopes.includes('read')) {
      throw new Problem('forbidden', {
        detail: 'This key does not have the scope read, which the console takes.',
      });
    }
    cookie.set(reply, sessions.begin(access));
    return tell(access);
  });

  server.delete('/console/session', { schema: { hide: true } }, async (request, reply) => {
    const id = cookie.read(request);
    if (id !== undefined) sessions.end(id);
    cookie.clear(reply);
    return { needs_key: needsKey, signed_in: false };
  });
}
