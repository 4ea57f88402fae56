import type { Answer, ReadBack, Response, ResponseBody } from '../../src/domain/answer.ts';
import {
  type Ambiguous,
  type ChangedMeanwhile,
  IDLE_CLEANUP_ERROR,
  type TooLarge,
  type Verdict,
} from '../../src/domain/verdict.ts';

/** What an answer comes to: a verdict, or that more has to be done for one. */
export type Judgement = Verdict | Ambiguous | TooLarge | ChangedMeanwhile;

/** One row of the table of answers in docs/job-lifecycle.md, with answers that it is about. */
export interface AnswerCase {
  /** The row's first cell. */
  readonly row: string;
  readonly answers: readonly Answer[];
  readonly means: Judgement;
}

/** One row of the table of read-backs, with the ambiguous answers and the read-backs that it is about. */
export interface ReadBackCase {
  readonly row: string;
  readonly pairs: readonly (readonly [Ambiguous, ReadBack, Judgement])[];
}

/** The text that was sent in every case here. */
export const SENT = 'TimeoutError';

const UPDATED: ResponseBody = { kind: 'result', result: 'updated' };
const HTML: ResponseBody = { kind: 'unreadable', reason: '<html>' };

export const errorBody = (type: string, reason = 'a reason'): ResponseBody => ({
  kind: 'error',
  type,
  reason,
});

const REFUSED = 'Invalid transition attempt from [error] to [error]. Such a transition is not supported.';

/** A response that carries Elasticsearch's product header. */
export const fromElasticsearch = (status: number, body: ResponseBody): Response => ({
  kind: 'response',
  status,
  fromElasticsearch: true,
  body,
});

/** A response without the product header: a proxy's, or another server's. */
export const fromProxy = (status: number, body: ResponseBody): Response => ({
  kind: 'response',
  status,
  fromElasticsearch: false,
  body,
});

/** Answers of one status that only look like Elasticsearch's: without the header, or without the envelope. */
const forged = (status: number, type: string): readonly Answer[] => [
  fromProxy(status, errorBody(type)),
  fromProxy(status, HTML),
  fromProxy(status, UPDATED),
  fromElasticsearch(status, HTML),
  fromElasticsearch(status, UPDATED),
];

const outage = (code: Extract<Verdict, { kind: 'outage' }>['code']): Verdict => ({
  kind: 'outage',
  code,
  circuit: 'failure',
});
const permanent = (code: Extract<Verdict, { kind: 'permanent' }>['code']): Verdict => ({
  kind: 'permanent',
  code,
  circuit: 'success',
});

const THROTTLED: Verdict = {
  kind: 'transient',
  code: 'throttled',
  attemptUsed: false,
  wait: 'retry-after',
  circuit: 'neutral',
};
const INTERRUPTED: Verdict = { kind: 'interrupted', circuit: 'neutral' };

const UNREACHABLE: Answer = {
  kind: 'not-sent',
  cause: 'unreachable',
  type: 'ECONNREFUSED',
  reason: 'refused',
};
const TLS: Answer = { kind: 'not-sent', cause: 'tls', type: 'CERT_HAS_EXPIRED', reason: 'expired' };
const LOST: Answer = { kind: 'lost', type: 'ETIMEDOUT', reason: 'no response in time' };

export const ANSWER_CASES: readonly AnswerCase[] = [
  {
    row: '2xx from Elasticsearch with `{"result":"updated"}` or `{"result":"noop"}`',
    answers: [
      fromElasticsearch(200, UPDATED),
      fromElasticsearch(200, { kind: 'result', result: 'noop' }),
      fromElasticsearch(201, UPDATED),
    ],
    means: { kind: 'applied', circuit: 'success' },
  },
  {
    row: '2xx from Elasticsearch with any other body: cut, empty, not JSON, another result',
    answers: [
      fromElasticsearch(200, HTML),
      fromElasticsearch(204, { kind: 'unreadable', reason: '' }),
      fromElasticsearch(200, { kind: 'result', result: 'deleted' }),
      fromElasticsearch(200, { kind: 'result', result: '' }),
      fromElasticsearch(200, errorBody('status_exception', REFUSED)),
    ],
    means: { kind: 'ambiguous', cause: 'unreadable-success', code: 'ambiguous' },
  },
  {
    row: '2xx without the product header',
    answers: [fromProxy(200, UPDATED), fromProxy(200, HTML), fromProxy(204, errorBody('status_exception'))],
    means: { kind: 'ambiguous', cause: 'foreign-success', code: 'misrouted' },
  },
  {
    row: '400 from Elasticsearch: the transition is refused',
    answers: [
      fromElasticsearch(400, errorBody('status_exception', REFUSED)),
      fromElasticsearch(400, {
        kind: 'error',
        type: 'status_exception',
        reason: 'worded otherwise',
        causedByType: 'connector_sync_job_invalid_status_transition_exception',
      }),
    ],
    means: { kind: 'ambiguous', cause: 'refused-transition', code: 'ambiguous' },
  },
  {
    row: '400 from Elasticsearch: `media_type_header_exception`',
    answers: [fromElasticsearch(400, errorBody('media_type_header_exception'))],
    means: outage('misrouted'),
  },
  {
    row: '400 from Elasticsearch: `index_closed_exception`',
    answers: [fromElasticsearch(400, errorBody('index_closed_exception'))],
    means: outage('cluster_block'),
  },
  {
    row: '400 from Elasticsearch: any other type (parsing, validation, immense term)',
    answers: [
      fromElasticsearch(400, errorBody('parse_exception', 'request body is required')),
      fromElasticsearch(400, errorBody('x_content_parse_exception')),
      fromElasticsearch(400, errorBody('action_request_validation_exception')),
      fromElasticsearch(400, errorBody('illegal_argument_exception', 'Required [error]')),
      fromElasticsearch(400, errorBody('resource_not_found_exception')),
      fromElasticsearch(400, {
        kind: 'error',
        type: 'document_parsing_exception',
        reason: 'failed to parse field [error]',
        causedByType: 'illegal_argument_exception',
      }),
    ],
    means: permanent('rejected'),
  },
  {
    row: "400 without Elasticsearch's envelope or product header, `no handler found` among them",
    answers: [
      ...forged(400, 'parse_exception'),
      fromProxy(400, errorBody('status_exception', REFUSED)),
      fromElasticsearch(400, { kind: 'unreadable', reason: '{"error":"no handler found for uri [/x]"}' }),
    ],
    means: outage('misrouted'),
  },
  {
    row: '401 from anything',
    answers: [fromElasticsearch(401, errorBody('security_exception')), ...forged(401, 'security_exception')],
    means: outage('unauthorized'),
  },
  {
    row: '403 from Elasticsearch: `cluster_block_exception`',
    answers: [fromElasticsearch(403, errorBody('cluster_block_exception'))],
    means: outage('cluster_block'),
  },
  {
    row: '403 from Elasticsearch: any other type, such as `security_exception`',
    answers: [fromElasticsearch(403, errorBody('security_exception'))],
    means: outage('unauthorized'),
  },
  {
    row: "403 without Elasticsearch's envelope or product header",
    answers: [...forged(403, 'security_exception'), ...forged(403, 'cluster_block_exception')],
    means: outage('misrouted'),
  },
  {
    row: '404 from Elasticsearch: `resource_not_found_exception`',
    answers: [fromElasticsearch(404, errorBody('resource_not_found_exception', 'a-sync-job'))],
    means: permanent('sync_job_not_found'),
  },
  {
    row: 'any other 404',
    answers: [
      ...forged(404, 'resource_not_found_exception'),
      fromElasticsearch(404, errorBody('index_not_found_exception')),
    ],
    means: outage('misrouted'),
  },
  {
    row: '408 from anything',
    answers: [fromElasticsearch(408, errorBody('timeout_exception')), ...forged(408, 'timeout_exception')],
    means: THROTTLED,
  },
  {
    row: '409 from Elasticsearch',
    answers: [fromElasticsearch(409, errorBody('version_conflict_engine_exception'))],
    means: { kind: 'transient', code: 'conflict', attemptUsed: true, wait: 'short', circuit: 'success' },
  },
  {
    row: "409 without Elasticsearch's envelope or product header",
    answers: forged(409, 'version_conflict_engine_exception'),
    means: outage('misrouted'),
  },
  {
    row: '413 from anything',
    answers: [fromElasticsearch(413, errorBody('content_too_long_exception')), ...forged(413, 'any')],
    means: { kind: 'too-large' },
  },
  {
    row: '429 from Elasticsearch: `cluster_block_exception`',
    answers: [fromElasticsearch(429, errorBody('cluster_block_exception'))],
    means: outage('cluster_block'),
  },
  {
    row: 'any other 429',
    answers: [
      fromElasticsearch(429, errorBody('es_rejected_execution_exception')),
      fromElasticsearch(429, errorBody('circuit_breaking_exception')),
      ...forged(429, 'cluster_block_exception'),
    ],
    means: THROTTLED,
  },
  {
    row: '5xx from Elasticsearch: `cluster_block_exception`',
    answers: [fromElasticsearch(503, errorBody('cluster_block_exception'))],
    means: outage('cluster_block'),
  },
  {
    row: 'any other 5xx',
    answers: [
      fromElasticsearch(500, errorBody('null_pointer_exception')),
      fromElasticsearch(503, errorBody('unavailable_shards_exception')),
      ...forged(503, 'cluster_block_exception'),
      ...forged(502, 'any'),
      ...forged(504, 'resource_not_found_exception'),
      fromProxy(599, HTML),
    ],
    means: {
      kind: 'transient',
      code: 'server_error',
      attemptUsed: true,
      wait: 'backoff',
      circuit: 'failure',
    },
  },
  {
    row: 'any other status: 1xx, 3xx, 405, 406 and the rest of 4xx',
    answers: [100, 199, 300, 301, 304, 307, 402, 405, 406, 410, 412, 415, 418, 422, 451].flatMap((status) => [
      fromElasticsearch(status, errorBody('resource_not_found_exception')),
      ...forged(status, 'resource_not_found_exception'),
    ]),
    means: outage('misrouted'),
  },
  {
    row: 'not sent: refused, name not found, no living connection',
    answers: [UNREACHABLE],
    means: outage('unreachable'),
  },
  { row: 'not sent: TLS failed', answers: [TLS], means: outage('tls') },
  {
    row: 'lost: timeout, reset or a cut response after the request was sent',
    answers: [LOST],
    means: { kind: 'ambiguous', cause: 'lost-response', code: 'ambiguous' },
  },
  { row: 'interrupted: this worker is stopping', answers: [{ kind: 'interrupted' }], means: INTERRUPTED },
];

export const REFUSED_TRANSITION: Ambiguous = {
  kind: 'ambiguous',
  cause: 'refused-transition',
  code: 'ambiguous',
};
export const CUT_SUCCESS: Ambiguous = { kind: 'ambiguous', cause: 'unreadable-success', code: 'ambiguous' };
export const PROXY_SUCCESS: Ambiguous = { kind: 'ambiguous', cause: 'foreign-success', code: 'misrouted' };
export const LOST_RESPONSE: Ambiguous = { kind: 'ambiguous', cause: 'lost-response', code: 'ambiguous' };

/** Every ambiguous answer there is. */
export const AMBIGUOUS: readonly Ambiguous[] = [
  REFUSED_TRANSITION,
  CUT_SUCCESS,
  PROXY_SUCCESS,
  LOST_RESPONSE,
];

const found = (status: Extract<ReadBack, { kind: 'found' }>['status'], error?: string): ReadBack =>
  error === undefined ? { kind: 'found', status } : { kind: 'found', status, error };
const unknown = (answer: Answer): ReadBack => ({ kind: 'unknown', answer });

/** The same judgement for every one of these ambiguous answers and read-backs. */
const each = (
  firsts: readonly Ambiguous[],
  readBacks: readonly ReadBack[],
  means: Judgement,
): ReadBackCase['pairs'] =>
  firsts.flatMap((first) => readBacks.map((readBack) => [first, readBack, means] as const));

const ALREADY_APPLIED: Verdict = { kind: 'already-applied', circuit: 'success' };
const NOT_RUNNING: Verdict = { kind: 'not-running', code: 'not_running', circuit: 'success' };
const STILL_OPEN = [found('in_progress'), found('canceling'), found('in_progress', SENT)];

export const READ_BACK_CASES: readonly ReadBackCase[] = [
  {
    row: '`error`, with the text as it was sent',
    pairs: each(AMBIGUOUS, [found('error', SENT)], ALREADY_APPLIED),
  },
  {
    row: "`error`, with the text of the connector service's idle check",
    pairs: each(AMBIGUOUS, [found('error', IDLE_CLEANUP_ERROR)], permanent('idle_cleanup')),
  },
  {
    row: '`error`, with another text or none',
    pairs: each(
      AMBIGUOUS,
      [found('error'), found('error', ''), found('error', `${SENT} `), found('error', 'another')],
      permanent('superseded'),
    ),
  },
  {
    row: '`completed` or `canceled`',
    pairs: each(
      AMBIGUOUS,
      [found('completed'), found('canceled'), found('completed', SENT)],
      permanent('terminal_state'),
    ),
  },
  {
    row: '`pending` or `suspended`',
    pairs: each(AMBIGUOUS, [found('pending'), found('suspended'), found('pending', SENT)], NOT_RUNNING),
  },
  {
    row: '`in_progress` or `canceling`, after a refused transition',
    pairs: each([REFUSED_TRANSITION], STILL_OPEN, { kind: 'changed-meanwhile' }),
  },
  {
    row: '`in_progress` or `canceling`, after a 2xx from Elasticsearch',
    pairs: each([CUT_SUCCESS], STILL_OPEN, outage('ambiguous')),
  },
  {
    row: '`in_progress` or `canceling`, after a 2xx without the product header',
    pairs: each([PROXY_SUCCESS], STILL_OPEN, outage('misrouted')),
  },
  {
    row: '`in_progress` or `canceling`, after a lost response',
    pairs: each([LOST_RESPONSE], STILL_OPEN, {
      kind: 'transient',
      code: 'ambiguous',
      attemptUsed: true,
      wait: 'backoff',
      circuit: 'failure',
    }),
  },
  {
    row: 'no sync job has this id',
    pairs: each(
      AMBIGUOUS,
      [
        {
          kind: 'missing',
          answer: fromElasticsearch(404, errorBody('resource_not_found_exception', 'a-sync-job')),
        },
      ],
      permanent('sync_job_not_found'),
    ),
  },
  {
    row: 'the read meets an outage of its own',
    pairs: [
      ...each(
        AMBIGUOUS,
        [unknown(fromElasticsearch(403, errorBody('cluster_block_exception')))],
        outage('cluster_block'),
      ),
      ...each(AMBIGUOUS, forged(404, 'resource_not_found_exception').map(unknown), outage('misrouted')),
      ...each(AMBIGUOUS, [unknown(TLS)], outage('tls')),
      ...each(
        AMBIGUOUS,
        [unknown(fromElasticsearch(401, errorBody('security_exception')))],
        outage('unauthorized'),
      ),
      ...each(AMBIGUOUS, [unknown(UNREACHABLE)], outage('unreachable')),
    ],
  },
  {
    row: 'the read is answered with 408 or 429',
    pairs: each(AMBIGUOUS, [unknown(fromProxy(408, HTML)), unknown(fromProxy(429, HTML))], THROTTLED),
  },
  {
    row: 'the read fails in any other way: lost, 5xx, a body that makes no sense',
    pairs: [REFUSED_TRANSITION, CUT_SUCCESS, LOST_RESPONSE, PROXY_SUCCESS].flatMap((first) =>
      each(
        [first],
        [
          unknown(LOST),
          unknown(fromProxy(503, HTML)),
          unknown(fromProxy(200, HTML)),
          unknown(fromElasticsearch(200, UPDATED)),
          unknown(fromElasticsearch(400, errorBody('parse_exception'))),
          unknown(fromElasticsearch(409, errorBody('version_conflict_engine_exception'))),
          unknown(fromElasticsearch(413, HTML)),
          unknown(fromElasticsearch(404, errorBody('resource_not_found_exception'))),
        ],
        outage(first.code),
      ),
    ),
  },
  {
    row: 'the read is interrupted: this worker is stopping',
    pairs: each(AMBIGUOUS, [unknown({ kind: 'interrupted' })], INTERRUPTED),
  },
];
