import type { Answer } from '../../domain/answer.ts';

/**
 * One exchange with a node that gave no readable response, with the answer it comes to.
 *
 * The client's own connection errors keep neither the network's code nor whether the request had left, and
 * both decide whether a report may have been applied.
 */
export class NodeFailure extends Error {
  override readonly name: FailureName;
  readonly answer: Answer;

  constructor(name: FailureName, answer: Answer) {
    super(answer.kind);
    this.name = name;
    this.answer = answer;
  }
}

/**
 * The client's error names, by which its transport decides what becomes of the node: the first two take it
 * out of the rotation, the last does not.
 */
export type FailureName = 'ConnectionError' | 'TimeoutError' | 'RequestAbortedError';

/** The answer where no connection came about. */
export function notSent(error: unknown): Answer {
  const type = codeOf(error);
  return {
    kind: 'not-sent',
    cause: TLS_CODE.test(type) ? 'tls' : 'unreachable',
    type,
    reason: reasonOf(error),
  };
}

/** The answer where the request had left and its response did not come whole. */
export function lost(error: unknown): Answer {
  return { kind: 'lost', type: codeOf(error), reason: reasonOf(error) };
}

/** Node's and OpenSSL's codes for a handshake that failed and for a certificate that was not accepted. */
const TLS_CODE: RegExp =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$|CERT_|CRL_|ERROR_IN_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_|HOSTNAME_MISMATCH$)/;

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason given';
  // A host with several addresses fails with one error for each, and no message of its own.
  if (error.message === '' && error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error.message;
}
