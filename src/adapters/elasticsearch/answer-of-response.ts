import type { IncomingHttpHeaders } from 'node:http';
import type { Response, ResponseBody } from '../../domain/answer.ts';
import type { Quote } from './quote.ts';

/** What is kept of a response before it is understood: the body is still text. */
export interface RawResponse {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly text: string;
}

/** The headers an answer is made of. */
export interface AnswerHeaders {
  readonly 'x-elastic-product'?: string;
  readonly 'retry-after'?: string;
}

/** Picks from all headers those that an answer is made of; of one that came twice, the first. */
export function answerHeaders(headers: IncomingHttpHeaders): AnswerHeaders {
  const product = first(headers['x-elastic-product']);
  const retryAfter = first(headers['retry-after']);
  return {
    ...(product === undefined ? {} : { 'x-elastic-product': product }),
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
  };
}

const first = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'object' ? value[0] : value;

/** The answer a whole response is. Never throws, whatever the body holds. */
export function answerOfResponse({ status, headers, text }: RawResponse, quote: Quote): Response {
  return responseWith(status, headers, readBody(text, quote));
}

/** The answer where status and headers came but nothing can be made of the body. */
export function unreadableResponse(status: number, headers: AnswerHeaders, reason: string): Response {
  return responseWith(status, headers, { kind: 'unreadable', reason });
}

function responseWith(status: number, headers: AnswerHeaders, body: ResponseBody): Response {
  const retryAfter = headers['retry-after'];
  return {
    kind: 'response',
    // From the status line alone: a body may claim another status, and a proxy's body any.
    status,
    fromElasticsearch: headers['x-elastic-product'] === 'Elasticsearch',
    body,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

function readBody(text: string, quote: Quote): ResponseBody {
  const json = parseJson(text);
  if (json.kind === 'unreadable') return json;
  const error = member(json.value, 'error');
  const type = word(member(error, 'type'));
  if (type !== undefined) return errorBody(type, error, quote);
  // The router's own refusals are flat: {"error":"no handler found for uri …"}.
  if (typeof error === 'string') return { kind: 'unreadable', reason: quote(error) };
  const result = word(member(json.value, 'result'));
  if (result !== undefined) return { kind: 'result', result };
  return { kind: 'unreadable', reason: 'JSON of another form' };
}

function errorBody(type: string, error: unknown, quote: Quote): ResponseBody {
  // Exceptions without a message have a null reason.
  const reason = member(error, 'reason');
  const causedByType = word(member(member(error, 'caused_by'), 'type'));
  return {
    kind: 'error',
    type,
    reason: typeof reason === 'string' ? quote(reason) : '',
    ...(causedByType === undefined ? {} : { causedByType }),
  };
}

/**
 * A name of Elasticsearch's own, which verdicts hang on. Its form leaves no room for anything else, so that it
 * is kept as it is: a password of "exception" must not turn one error type into another.
 */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[a-z0-9_]{1,100}$/.test(value) ? value : undefined;
}

/** A body as JSON, or why it is none. The text itself is not repeated: a proxy's page may hold anything. */
export function parseJson(
  text: string,
): { readonly kind: 'json'; readonly value: unknown } | Extract<ResponseBody, { kind: 'unreadable' }> {
  if (text.trim() === '') return { kind: 'unreadable', reason: 'an empty body' };
  try {
    return { kind: 'json', value: JSON.parse(text) as unknown };
  } catch {
    const what = text.trimStart().startsWith('<') ? 'HTML or XML instead of JSON' : 'not JSON';
    return { kind: 'unreadable', reason: `${what} (${text.length} characters)` };
  }
}

/** An own member of an object, or undefined for whatever else `value` is. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
