import { problemOfError } from '../problem-of-error.ts';
import { EsFailure } from './es-failure.ts';

/**
 * The exceptions of Elasticsearch's that come nearest to what can go wrong at our own door. Its clients back
 * off at 429 and try again at 503, and both are right here.
 */
const TYPES: Readonly<Record<number, string>> = {
  400: 'illegal_argument_exception',
  408: 'timeout_exception',
  413: 'illegal_argument_exception',
  429: 'es_rejected_execution_exception',
  503: 'process_cluster_event_timeout_exception',
};

/** A failure in Elasticsearch's words, with the headers that belong to it. */
export function failureOfError(error: unknown): {
  readonly failure: EsFailure;
  readonly headers: Readonly<Record<string, string>>;
} {
  const { status, message, headers } = problemOfError(error);
  return {
    failure: new EsFailure(status, { type: TYPES[status] ?? 'exception', reason: message }),
    headers,
  };
}
