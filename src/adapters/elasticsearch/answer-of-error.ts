import { errors } from '@elastic/elasticsearch';
import type { Answer } from '../../domain/answer.ts';
import {
  answerHeaders,
  answerOfResponse,
  type RawResponse,
  unreadableResponse,
} from './answer-of-response.ts';
import { NodeFailure } from './node-failure.ts';
import type { Quote } from './quote.ts';

/** The response in an error that the client made of a status of 400 and above, or undefined. */
export function responseInError(error: unknown): RawResponse | undefined {
  if (!(error instanceof errors.ResponseError)) return undefined;
  const { body, headers, statusCode } = error.meta;
  if (statusCode === undefined) return undefined;
  return {
    status: statusCode,
    headers: answerHeaders(headers ?? {}),
    text: typeof body === 'string' ? body : '',
  };
}

/** The answer that an error of the client is. */
export function answerOfError(error: unknown, quote: Quote): Answer {
  const response = responseInError(error);
  if (response !== undefined) return answerOfResponse(response, quote);
  const failure = nodeFailureIn(error);
  if (failure !== undefined) return quoted(failure.answer, quote);
  // The client looks at the product before it hands over the body.
  if (error instanceof errors.ProductNotSupportedError) {
    return unreadableResponse(error.meta?.statusCode ?? 200, {}, 'not from Elasticsearch');
  }
  // The signal had fired before anything was sent.
  if (error instanceof errors.RequestAbortedError) return { kind: 'interrupted' };
  if (error instanceof errors.NoLivingConnectionsError) {
    return { kind: 'not-sent', cause: 'unreachable', type: error.name, reason: 'no node left to ask' };
  }
  // A fault of ours or the client's. Whether it came before or after sending is unknown, so the careful answer.
  const [type, reason] =
    error instanceof Error ? [error.name, error.message] : ['unknown', 'no reason given'];
  return quoted({ kind: 'lost', type, reason }, quote);
}

/** The transport wraps what a connection throws, once. */
function nodeFailureIn(error: unknown): NodeFailure | undefined {
  if (error instanceof NodeFailure) return error;
  return error instanceof Error && error.cause instanceof NodeFailure ? error.cause : undefined;
}

function quoted(answer: Answer, quote: Quote): Answer {
  return 'reason' in answer ? { ...answer, reason: quote(answer.reason) } : answer;
}
