import { Problem, type ProblemCode } from './problem.ts';

/** Seconds after which a client may try again where Redis was away: about what a restart takes. */
const REDIS_RETRY_S = 2;

const OF_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'timeout',
  413: 'too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  503: 'overloaded',
};

/**
 * What a failure is to the client. Faults of ours and of Redis say nothing of themselves: their text is for
 * the log. The classes of other layers are told by name, because this layer does not know them.
 */
export function problemOfError(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { name, message, statusCode } = readError(error);
  if (name === 'RedisUnavailable' || name === 'RedisUnsuitable') {
    return new Problem('queue_unavailable', { retryAfterS: REDIS_RETRY_S });
  }
  if (name === 'RedriveRefused') return new Problem('conflict', { detail: message });
  if (name === 'RangeError') return new Problem('bad_request', { detail: message });
  const code = statusCode === undefined ? undefined : OF_STATUS[statusCode];
  if (code !== undefined) return new Problem(code, { detail: message });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem('bad_request', { detail: message });
  }
  return new Problem('internal');
}

function readError(error: unknown): {
  readonly name: string;
  readonly message: string;
  readonly statusCode: number | undefined;
} {
  if (!(error instanceof Error)) return { name: '', message: '', statusCode: undefined };
  const status = 'statusCode' in error ? Number(error.statusCode) : Number.NaN;
  return { name: error.name, message: error.message, statusCode: Number.isNaN(status) ? undefined : status };
}
