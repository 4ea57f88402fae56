import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { type Answer, type ReadBack, type ResponseBody, SYNC_JOB_STATUSES } from '../../src/domain/answer.ts';

/** Any text at all, lone surrogates included. */
export function anyText(constraints: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }) },
    { weight: 3, arbitrary: fc.constantFrom('é', '語', '😀', '\u0000', '\u{10FFFF}', '\uFEFF', '\n') },
    { weight: 1, arbitrary: fc.constantFrom('\ud800', '\udbff', '\udc00', '\udfff') },
  );
  return fc.array(piece, constraints).map((pieces) => pieces.join(''));
}

/** The bytes of a text as UTF-8 carries it. */
export const utf8Of = (text: string): Buffer => Buffer.from(text);

const type = fc.oneof(
  fc.constantFrom(
    'resource_not_found_exception',
    'status_exception',
    'cluster_block_exception',
    'security_exception',
    'media_type_header_exception',
    'index_closed_exception',
    'version_conflict_engine_exception',
    'action_request_validation_exception',
  ),
  fc.string(),
);

const reason = fc.oneof(fc.constant('Invalid transition attempt from [error] to [error].'), fc.string());

const body: fc.Arbitrary<ResponseBody> = fc.oneof(
  fc.record({
    kind: fc.constant('result' as const),
    result: fc.oneof(fc.constantFrom('updated', 'noop'), fc.string()),
  }),
  fc.record({ kind: fc.constant('error' as const), type, reason }),
  fc.record({
    kind: fc.constant('error' as const),
    type,
    reason,
    causedByType: fc.constantFrom(
      'connector_sync_job_invalid_status_transition_exception',
      'other_exception',
    ),
  }),
  fc.record({ kind: fc.constant('unreadable' as const), reason: fc.string() }),
);

const status = fc.oneof(
  fc.constantFrom(
    200,
    201,
    204,
    299,
    301,
    400,
    401,
    403,
    404,
    405,
    406,
    408,
    409,
    413,
    429,
    500,
    502,
    503,
    504,
  ),
  fc.integer({ min: 100, max: 599 }),
);

/** Any answer that a server, a proxy or a network can give. */
export const anyAnswer: fc.Arbitrary<Answer> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('response' as const),
      status,
      fromElasticsearch: fc.boolean(),
      body,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('not-sent' as const),
      cause: fc.constantFrom('unreachable' as const, 'tls' as const),
      type: fc.string(),
      reason: fc.string(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('lost' as const), type: fc.string(), reason: fc.string() }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'interrupted' as const }) },
);

/** Any result of reading a sync job. */
export const anyReadBack: fc.Arbitrary<ReadBack> = fc.oneof(
  fc.record({ kind: fc.constant('found' as const), status: fc.constantFrom(...SYNC_JOB_STATUSES) }),
  fc.record({
    kind: fc.constant('found' as const),
    status: fc.constantFrom(...SYNC_JOB_STATUSES),
    error: fc.string(),
  }),
  fc.record({ kind: fc.constant('missing' as const), answer: anyAnswer }),
  fc.record({ kind: fc.constant('unknown' as const), answer: anyAnswer }),
);
