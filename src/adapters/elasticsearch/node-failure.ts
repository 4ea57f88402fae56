import type { Answer } from '../../domain/answer.ts';

/**
 * One exchange with a node that gave no readable response, with the answer it comes to: the network's own code is
 * kept, and whether the request had left, for both decide whether a report may have been applied.
 */
export class NodeFailure extends Error {
  override readonly name = 'NodeFailure';
  readonly answer: Answer;
  /** Whether others should be asked in place of this node for a while. */
  readonly isNodeAtFault: boolean;

  constructor(answer: Answer, isNodeAtFault: boolean) {
    super(answer.kind);
    this.answer = answer;
    this.isNodeAtFault = isNodeAtFault;
  }
}

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
