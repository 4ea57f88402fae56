/**
 * Elasticsearch's own way in, `PUT /_connector/_sync_job/{connector_sync_job_id}/_error`. A request is looked
 * at in the order in which Elasticsearch looks at it, so that a client hears of the same fault first:
 *
 * 1. its media types (400)
 * 2. whether there is such a path and method (400, 405), and what kind of body it is (406)
 * 3. who asks (401)
 * 4. the body, then the parameters (400)
 * 5. the request as a whole (400)
 * 6. whether they may (403)
 *
 * Then the report is handed in. Whether its sync job exists nobody knows yet: the answer is 202, not 200.
 */
import { Buffer } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { ParseErrorReport } from '../../domain/error-report.ts';
import { describeProblems } from '../../domain/error-report.ts';
import type { EnqueueResult } from '../../pipeline/enqueue-reports.ts';
import type { Access } from '../api-keys.ts';
import type { ReceivedBody } from '../read-body.ts';
import { decodeComponent } from './decode-component.ts';
import { bodyOfFailure, EsFailure, illegalArgument } from './es-failure.ts';
import { readMedia } from './media-type.ts';
import { parseErrorBody } from './parse-error-body.ts';
import { prettyJson, readParameters, refuseUnknown } from './query-parameters.ts';

/** A request, as it came in. */
export interface EsRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly access: Access;
  readBody(): Promise<ReceivedBody>;
}

/** An answer, before it is sent. */
export interface EsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

export interface EsContext {
  readonly parse: ParseErrorReport;
  /** Hands the report in, where there is room. */
  accept(report: ReturnType<ParseErrorReport>): Promise<EnqueueResult>;
  /** Turns what `accept` throws, or anything else, into Elasticsearch's words. */
  failureOf(error: unknown): {
    readonly failure: EsFailure;
    readonly headers: Readonly<Record<string, string>>;
  };
}

/** The header by which clients know Elasticsearch. Some refuse to speak to what does not send it. */
export const PRODUCT_HEADER: Readonly<Record<string, string>> = { 'X-Elastic-Product': 'Elasticsearch' };

const ERROR_PATH = /^\/?_connector\/_sync_job\/([^/]*)\/_error\/*$/;
/** `http.max_initial_line_length` of Elasticsearch. */
const MAX_LINE_BYTES = 4_096;

/** Answers a request for any path of Elasticsearch's. Never rejects. */
export async function answerErrorCall(request: EsRequest, context: EsContext): Promise<EsAnswer> {
  const form = { responseType: 'application/json', isPretty: /[?&]pretty(=true)?(&|$)/.test(request.url) };
  try {
    return await answer(request, context, form);
  } catch (error) {
    const { failure, headers } =
      error instanceof EsFailure ? { failure: error, headers: {} } : context.failureOf(error);
    return write(failure.status, bodyOfFailure(failure), form, { ...headers, ...failure.exception.header });
  }
}

interface Form {
  responseType: string;
  readonly isPretty: boolean;
}

async function answer(request: EsRequest, context: EsContext, form: Form): Promise<EsAnswer> {
  const { method, url, headers } = request;
  if (method.length + url.length + ' HTTP/1.1 '.length > MAX_LINE_BYTES) throw lineTooLong();
  const declaresBody =
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  const media = readMedia(headers.accept, headers['content-type'], declaresBody);
  form.responseType = media.responseType;
  if (media.refusal !== undefined) throw media.refusal;
  const [path = '', query = ''] = splitUrl(url);
  const parameters = readParameters(query);
  const written = ERROR_PATH.exec(path)?.[1];
  if (written === undefined || method !== 'PUT') return noHandler(request, written !== undefined, form);
  const id = decodeComponent(written);
  if (declaresBody && media.body !== 'readable') {
    return write(406, { error: media.body.refusal, status: 406 }, form);
  }
  const name = authenticated(request);
  const bytes = declaresBody ? bytesOf(await request.readBody()) : Buffer.alloc(0);
  if (bytes === 'too-large') return { status: 413, headers: { 'content-length': '0' }, body: '' };
  const error = parseErrorBody(bytes);
  const unknown = refuseUnknown(parameters, decodeComponent(path));
  if (unknown !== undefined) throw unknown;
  validate(id, error);
  authorize(request.access, name);

  const report = context.parse({ connector_sync_job_id: id, error });
  if (report.kind === 'invalid') throw illegalArgument(describeProblems(report.problems));
  const result = await context.accept(report);
  if (result.status === 'invalid') throw illegalArgument(describeProblems(result.problems));
  const body = {
    result: 'accepted',
    id: result.id,
    ...(result.status === 'duplicate' ? { duplicate: true } : {}),
  };
  return write(202, body, form, { Location: `/v1/reports/${result.id}` });
}

/** A failure that befell the request outside of `answerErrorCall`. */
export function answerFailure({ failure, headers }: ReturnType<EsContext['failureOf']>): EsAnswer {
  return write(
    failure.status,
    bodyOfFailure(failure),
    { responseType: 'application/json', isPretty: false },
    headers,
  );
}

function splitUrl(url: string): [path: string, query: string] {
  const mark = url.indexOf('?');
  return mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

function noHandler({ method, url }: EsRequest, isKnownPath: boolean, form: Form): EsAnswer {
  const allow: Readonly<Record<string, string>> = isKnownPath ? { Allow: 'PUT' } : {};
  if (method === 'OPTIONS') {
    return { status: 200, headers: { ...PRODUCT_HEADER, ...allow, 'content-length': '0' }, body: '' };
  }
  if (!isKnownPath) {
    return write(400, { error: `no handler found for uri [${url}] and method [${method}]` }, form);
  }
  const error = `Incorrect HTTP method for uri [${url}] and method [${method}], allowed: [PUT]`;
  return write(405, { error, status: 405 }, form, allow);
}

function bytesOf(received: ReceivedBody): Buffer | 'too-large' {
  switch (received.kind) {
    case 'whole':
      return received.bytes;
    case 'too-large':
      return 'too-large';
    case 'broken':
      throw illegalArgument('Input stream is not gzip compressed');
    case 'unknown-encoding':
      throw illegalArgument('Content-Encoding has to be gzip, deflate or none');
    case 'slow':
    case 'aborted':
      throw new EsFailure(408, { type: 'timeout_exception', reason: 'the request took too long to arrive' });
  }
}

const CHALLENGES = ['Basic realm="security", charset="UTF-8"', 'Bearer realm="security"', 'ApiKey'];

/** The name of whoever asks. */
function authenticated({ access, url }: EsRequest): string {
  if (access.kind === 'granted') return access.name;
  throw new EsFailure(401, {
    type: 'security_exception',
    reason:
      access.kind === 'missing'
        ? `missing authentication credentials for REST request [${url}]`
        : 'unable to authenticate with provided credentials and anonymous access is not allowed for this request',
    header: { 'WWW-Authenticate': CHALLENGES },
  });
}

function authorize(access: Access, name: string): void {
  if (access.kind === 'granted' && access.scopes.includes('report')) return;
  throw new EsFailure(403, {
    type: 'security_exception',
    reason:
      'action [cluster:admin/xpack/connector/sync_job/update_error] is unauthorized for ' +
      `API key id [${name}], this action is granted by the scope [report]`,
  });
}

function validate(id: string, error: string): void {
  const problems = [
    ...(id === '' ? ['[connector_sync_job_id] of the connector sync job cannot be null or empty.'] : []),
    ...(error === '' ? ['[error] of the connector sync job cannot be null or empty'] : []),
  ];
  if (problems.length === 0) return;
  throw new EsFailure(400, {
    type: 'action_request_validation_exception',
    reason: `Validation Failed: ${problems.map((problem, index) => `${index + 1}: ${problem};`).join('')}`,
  });
}

const lineTooLong = (): EsFailure =>
  new EsFailure(400, {
    type: 'too_long_http_line_exception',
    reason: `An HTTP line is larger than ${MAX_LINE_BYTES} bytes.`,
  });

function write(status: number, body: unknown, form: Form, headers: EsAnswer['headers'] = {}): EsAnswer {
  return {
    status,
    headers: { ...PRODUCT_HEADER, 'content-type': form.responseType, ...headers },
    body: form.isPretty ? `${prettyJson(body)}\n` : JSON.stringify(body),
  };
}
