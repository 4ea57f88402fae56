/**
 * What the server, or the network, said to one request. An answer judges nothing: `verdict.ts` says what
 * it means for the report.
 */
export type Answer =
  | Response
  /** The request never left: no connection could be made. */
  | {
      readonly kind: 'not-sent';
      readonly cause: 'unreachable' | 'tls';
      readonly type: string;
      readonly reason: string;
    }
  /** The request left and no whole response came back, so it may have been carried out. */
  | { readonly kind: 'lost'; readonly type: string; readonly reason: string }
  /** Our own signal ended the request. */
  | { readonly kind: 'interrupted' };

export interface Response {
  readonly kind: 'response';
  readonly status: number;
  /** Whether it carried `X-Elastic-Product: Elasticsearch`. */
  readonly fromElasticsearch: boolean;
  readonly body: ResponseBody;
  /** The raw `Retry-After` header, where there was one. */
  readonly retryAfter?: string;
}

export type ResponseBody =
  /** `{"result":"updated"}`, as every change answers. */
  | { readonly kind: 'result'; readonly result: string }
  /** Elasticsearch's error envelope. */
  | { readonly kind: 'error'; readonly type: string; readonly reason: string; readonly causedByType?: string }
  /** Anything else: HTML, an empty or cut body, JSON of another form. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Every status a sync job can have in Elasticsearch. */
export const SYNC_JOB_STATUSES = [
  'canceled',
  'canceling',
  'completed',
  'error',
  'in_progress',
  'pending',
  'suspended',
] as const;

export type SyncJobStatus = (typeof SYNC_JOB_STATUSES)[number];

/** What Elasticsearch holds about a sync job, read to settle an ambiguous answer. */
export type ReadBack =
  | {
      readonly kind: 'found';
      readonly status: SyncJobStatus;
      /** As it is stored, to be compared with what was sent; never kept. */
      readonly error?: string;
      /** The same without our credentials, should the server have put them there: what may be kept and shown. */
      readonly shownError?: string;
    }
  | { readonly kind: 'missing'; readonly answer: Answer }
  /** The read itself failed or made no sense, so that nothing is known. */
  | { readonly kind: 'unknown'; readonly answer: Answer };

/** An answer in a few words, for dead letters, histories and logs. */
export interface AnswerSummary {
  /** HTTP status, where there was one. */
  readonly status?: number;
  /** Elasticsearch's error type, or the network error's code. */
  readonly type?: string;
  /** What was said, at most `MAX_REASON_CHARACTERS` characters of it. */
  readonly reason?: string;
}

/** Elasticsearch repeats the whole text in some refusals; a letter needs only its beginning. */
export const MAX_REASON_CHARACTERS = 500;

/** The answer in a few words. */
export function summarizeAnswer(answer: Answer): AnswerSummary {
  switch (answer.kind) {
    case 'interrupted':
      return { type: 'interrupted', reason: 'the worker was stopping' };
    case 'not-sent':
    case 'lost':
      return { type: cutReason(answer.type), reason: cutReason(answer.reason) };
    case 'response':
      return { status: answer.status, ...summarizeBody(answer.body) };
  }
}

function summarizeBody(body: ResponseBody): AnswerSummary {
  switch (body.kind) {
    case 'result':
      return { reason: cutReason(body.result) };
    case 'error':
      return { type: cutReason(body.type), reason: cutReason(body.reason) };
    case 'unreadable':
      return { type: 'unreadable', reason: cutReason(body.reason) };
  }
}

/** At most `MAX_REASON_CHARACTERS` characters of a text, with an ellipsis where some are missing. */
export function cutReason(text: string): string {
  return text.length <= MAX_REASON_CHARACTERS
    ? text
    : `${text.slice(0, MAX_REASON_CHARACTERS).toWellFormed()}…`;
}
