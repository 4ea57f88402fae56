/**
 * What an effect makes of an answer: another answer, or one that does not arrive whole. The work is
 * done only where the effect says so, by calling `work`.
 */
import { decodeComponent } from '../wire/decode.ts';
import { productHeader, type WireAnswer } from '../wire/write-answer.ts';
import { type CannedAnswer, cannedAnswer, retryAfterHeader } from './canned-answers.ts';
import type { Strike } from './faults.ts';

/** What the server is to do with the connection. */
export type Delivery =
  | { readonly kind: 'whole'; readonly answer: WireAnswer }
  /** Sends the headers and so many bytes of the body, then closes. */
  | { readonly kind: 'cut'; readonly answer: WireAnswer; readonly afterBytes: number }
  /** Sends the answer under another content length, then closes. */
  | { readonly kind: 'wrong-length'; readonly answer: WireAnswer; readonly contentLength: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'silence' };

/** What of the request an effect looks at. */
export interface StruckRequest {
  readonly url: string;
  readonly opaqueId: string | undefined;
  /** `Content-Type` of an answer in JSON. */
  readonly responseType: string;
}

/** Decides what is delivered. */
export function shapeAnswer(
  effect: Strike['effect'],
  request: StruckRequest,
  work: () => WireAnswer,
): Delivery {
  if (effect === undefined) return { kind: 'whole', answer: work() };
  switch (effect.kind) {
    case 'status':
      return canned(cannedAnswer(effect.status, effect.body), request, effect.retryAfter);
    case 'rate-limit':
      return canned(cannedAnswer(429, undefined), request, effect.retryAfter);
    case 'auth-loss':
      return canned(cannedAnswer(401, undefined), request);
    case 'read-only': {
      const [status, name] = effect.floodStage === true ? [429, 'flood-stage'] : [403, 'read-only'];
      return canned(cannedAnswer(Number(status), String(name)), request);
    }
    case 'version-conflict':
      return canned(cannedAnswer(409, undefined), request);
    case 'html':
      return canned(cannedAnswer(200, 'portal-page'), request);
    case 'reset':
      return { kind: 'reset' };
    case 'blackhole':
      return { kind: 'silence' };
    case 'lose-response':
      work();
      return { kind: 'reset' };
    case 'cut':
      return { kind: 'cut', answer: work(), afterBytes: effect.afterBytes };
    case 'wrong-content-length': {
      const answer = work();
      const contentLength = Math.max(0, Buffer.byteLength(answer.body) + effect.difference);
      return { kind: 'wrong-length', answer, contentLength };
    }
    case 'huge-body':
      return { kind: 'whole', answer: padded(work(), effect.bytes) };
    case 'product-header':
      return { kind: 'whole', answer: withProduct(work(), effect.value) };
  }
}

function canned(answer: CannedAnswer, request: StruckRequest, retryAfter?: number | string): Delivery {
  const headers: string[] = [];
  if (answer.isElasticsearch) headers.push(...productHeader);
  if (answer.isElasticsearch && request.opaqueId !== undefined) headers.push('X-Opaque-Id', request.opaqueId);
  for (const [name, values] of Object.entries(answer.headers ?? {})) {
    for (const value of values) headers.push(name, value);
  }
  if (retryAfter !== undefined) headers.push('Retry-After', retryAfterHeader(retryAfter, Date.now()));
  const body = aboutJob(answer.body, request.url);
  const type = answer.isElasticsearch ? request.responseType : answer.contentType;
  if (type !== '') headers.push('content-type', type);
  headers.push('content-length', String(Buffer.byteLength(body)));
  return { kind: 'whole', answer: { status: answer.status, headers, body } };
}

/** Puts the id of the sync job asked for where a canned body speaks of `[job]`. */
function aboutJob(body: string, url: string): string {
  const segment = /^\/_connector\/_sync_job\/([^/?]+)/.exec(url)?.[1];
  if (segment === undefined || !body.includes('[job]')) return body;
  const id = JSON.stringify(decodeComponent(segment)).slice(1, -1);
  return body.split('[job]').join(`[${id}]`);
}

function padded(answer: WireAnswer, bytes: number): WireAnswer {
  const body = `{"padding":"${'x'.repeat(Math.max(0, bytes - '{"padding":""}'.length))}"}`;
  const headers = replaceHeader(answer.headers, 'content-length', String(body.length));
  return { ...answer, headers: replaceHeader(headers, 'content-encoding', null), body };
}

function withProduct(answer: WireAnswer, value: string | null): WireAnswer {
  return { ...answer, headers: replaceHeader(answer.headers, productHeader[0], value) };
}

/** Headers with one of them changed, or left out (null). */
export function replaceHeader(headers: readonly string[], name: string, value: string | null): string[] {
  const result: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const present = headers[at] ?? '';
    if (present.toLowerCase() !== name.toLowerCase()) result.push(present, headers[at + 1] ?? '');
    else if (value !== null) result.push(present, value);
  }
  return result;
}
