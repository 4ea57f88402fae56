/** Failures as RFC 9457 describes them, for every path but Elasticsearch's. */

/** What can be wrong, one word each; `/docs` explains them. */
export type ProblemCode =
  | 'bad_request'
  | 'invalid_report'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'timeout'
  | 'conflict'
  | 'too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'backlog_full'
  | 'internal'
  | 'overloaded'
  | 'queue_unavailable';

/** The status and the title of each. */
export const PROBLEMS: Readonly<Record<ProblemCode, readonly [status: number, title: string]>> = {
  bad_request: [400, 'The request cannot be understood.'],
  invalid_report: [400, 'What was sent is no error report.'],
  unauthorized: [401, 'Credentials are missing, or they are nobody’s.'],
  forbidden: [403, 'These credentials do not have the scope for this.'],
  not_found: [404, 'There is nothing here.'],
  method_not_allowed: [405, 'This path does not know this method.'],
  timeout: [408, 'The request took too long to arrive.'],
  conflict: [409, 'It is in another state than this needs.'],
  too_large: [413, 'More was sent than is taken at once.'],
  unsupported_media_type: [415, 'This kind of content is not taken.'],
  rate_limited: [429, 'This key has sent more requests than it may in a while.'],
  backlog_full: [429, 'Too many reports wait already; try again later.'],
  internal: [500, 'A fault of sync-error-relay.'],
  overloaded: [503, 'This process is too busy at the moment.'],
  queue_unavailable: [503, 'The queue does not answer; repeating the request is harmless.'],
};

export interface ProblemOptions {
  /** What is wrong this time. Never holds what somebody sent. */
  readonly detail?: string;
  /** When to try again, in seconds. */
  readonly retryAfterS?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** More members of the body. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** Ends the handling of a request with a problem. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, { detail, retryAfterS, headers, members }: ProblemOptions = {}) {
    super(detail ?? PROBLEMS[code][1]);
    this.code = code;
    this.status = PROBLEMS[code][0];
    this.headers = {
      ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
      ...headers,
    };
    this.#members = members ?? {};
  }

  /** The body. */
  toJSON(): Readonly<Record<string, unknown>> {
    return {
      type: `/docs#${this.code}`,
      title: PROBLEMS[this.code][1],
      status: this.status,
      code: this.code,
      detail: this.message,
      ...this.#members,
    };
  }
}
