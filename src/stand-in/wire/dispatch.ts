/**
 * The way of a request, in the order Elasticsearch checks it:
 *
 * 1. media types: 400 for headers that cannot be served, 406 for a body of the wrong type
 * 2. authentication: 401
 * 3. the route: 405, or 400 where no handler is found
 * 4. parameters and body: 400
 * 5. validation of the request as a whole: 400
 * 6. authorization: 403
 * 7. the work itself: 404, 400, 409 …
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Cluster } from '../cluster/cluster.ts';
import {
  exceptionBody,
  illegalArgument,
  ServerException,
  validationFailure,
} from '../errors/server-exception.ts';
import type { Answer, Route } from '../route.ts';
import type { Match, Router } from '../router.ts';
import { decodeComponent } from './decode.ts';
import type { Media } from './media-type.ts';
import { Query } from './query.ts';

/** A request as it came in, its body complete and unpacked. */
export interface RawRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly media: Media;
}

/** Answers a request; throws for nothing but faults of the stand-in itself. */
export function dispatch(cluster: Cluster, router: Router<Route>, request: RawRequest): Answer {
  try {
    return answer(cluster, router, request);
  } catch (error) {
    if (!(error instanceof ServerException)) throw error;
    return exceptionAnswer(error, /[?&]error_trace(=true|=?(&|$))/.test(request.url));
  }
}

/** An exception as an answer. */
export function exceptionAnswer(exception: ServerException, errorTrace = false): Answer {
  const headers = exception.shape.header;
  return {
    status: exception.status,
    body: exceptionBody(exception, errorTrace),
    ...(headers === undefined ? {} : { headers }),
  };
}

function answer(cluster: Cluster, router: Router<Route>, request: RawRequest): Answer {
  const { media, headers, body } = request;
  if (media.refusal !== undefined) throw media.refusal;
  const mark = request.url.indexOf('?');
  const path = mark === -1 ? request.url : request.url.slice(0, mark);
  const query = new Query(mark === -1 ? '' : request.url.slice(mark + 1));
  const match = router.find(request.method, path);
  if (match.kind === 'found' && body.length > 0 && media.content !== 'json')
    return wrongContentType(media.content);
  const principal = cluster.security?.authenticate(headers, request.url);
  if (match.kind !== 'found') return noRoute(match, request);
  const { route } = match;
  const prepared = route.prepare({ cluster, path: match.parameters, query, body, headers, principal });
  const unasked = query.refuseUnasked(decodeComponent(path));
  if (unasked !== undefined) throw unasked;
  if (route.body === 'none' && body.length > 0) {
    throw illegalArgument(
      `request [${request.method} ${decodeComponent(path)}] does not support having a body`,
    );
  }
  const invalid = validationFailure(prepared.problems ?? []);
  if (invalid !== undefined) throw invalid;
  if (principal !== undefined && route.action !== undefined) {
    cluster.security?.authorize(principal, route.action);
  }
  return prepared.execute();
}

function wrongContentType(content: Exclude<Media['content'], 'json'>): Answer {
  const error =
    content === 'missing'
      ? 'Content-Type header is missing'
      : `Content-Type header [${content.unsupported}] is not supported`;
  return { status: 406, body: { error, status: 406 } };
}

function noRoute(match: Exclude<Match<Route>, { kind: 'found' }>, request: RawRequest): Answer {
  const { method, url } = request;
  if (match.kind === 'unknown') {
    if (method === 'OPTIONS') return { status: 200 };
    return { status: 400, body: { error: `no handler found for uri [${url}] and method [${method}]` } };
  }
  const allow = match.allowed.join(',');
  if (method === 'OPTIONS') return { status: 200, headers: { Allow: allow } };
  const error =
    `Incorrect HTTP method for uri [${url}] and method [${method}], ` +
    `allowed: [${match.allowed.join(', ')}]`;
  return { status: 405, headers: { Allow: allow }, body: { error, status: 405 } };
}
