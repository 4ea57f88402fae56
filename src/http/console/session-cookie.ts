import type { FastifyReply, FastifyRequest } from 'fastify';

/** Over TLS the name itself keeps other hosts, and pages without TLS, from setting it. */
const nameOf = (isTls: boolean): string =>
  isTls ? '__Host-sync-error-relay-session' : 'sync-error-relay-session';

/** The cookie that a browser shows its session by. */
export interface SessionCookie {
  read(request: FastifyRequest): string | undefined;
  set(reply: FastifyReply, id: string): void;
  clear(reply: FastifyReply): void;
}

/** The cookie, which no script reads and no other site sends. */
export function sessionCookie(isTls: boolean): SessionCookie {
  const name = nameOf(isTls);
  const options = { path: '/', httpOnly: true, sameSite: 'strict', secure: isTls } as const;
  return {
    read: (request) => request.cookies[name],
    set: (reply, id) => {
      reply.setCookie(name, id, options);
    },
    clear: (reply) => {
      reply.clearCookie(name, options);
    },
  };
}
