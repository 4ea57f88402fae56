import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what changes something and was sent by a page from elsewhere: a browser adds its cookie to it, and
 * reaches a door on this machine, without the person at it having meant that. A browser says with every such
 * request where the page is from; a program that is no browser says nothing.
 *
 * @param mustSay whether only a browser can have sent it, so that saying nothing is refused too
 * @throws {Problem} `forbidden`
 */
export function refuseForeignPages(
  { method, headers }: FastifyRequest,
  allowedOrigins: readonly string[],
  mustSay: boolean,
): void {
  if (SAFE.has(method)) return;
  const { origin, host } = headers;
  if (origin !== undefined && allowedOrigins.includes(origin)) return;
  const site = headers['sec-fetch-site'];
  // Browsers leave the first one out where the connection is not to be trusted, and then send the other.
  const isOurs = site === undefined ? isSameHost(origin, host) : site === 'same-origin';
  const saysNothing = site === undefined && origin === undefined;
  if (isOurs || (saysNothing && !mustSay)) return;
  throw new Problem('forbidden', { detail: 'Pages from elsewhere may change nothing here.' });
}

function isSameHost(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
  return new URL(origin).host === host.toLowerCase();
}
