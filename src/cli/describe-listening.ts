import type { Config } from '../config.ts';
import { EXIT } from './exit-codes.ts';
import { CliFailure } from './failure.ts';

const NOT_LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use',
  EACCES: 'may not be used by this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'cannot be found',
};

/** A port that is taken is the operator's business, not a fault of ours. */
export function describeListening(error: unknown, { http }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = NOT_LISTENING[code];
  if (http === undefined || reason === undefined) return error;
  return new CliFailure(
    `HTTP_HOST and HTTP_PORT: expected an address to listen on, got ${http.host}:${http.port}, which ${reason}`,
    EXIT.configuration,
    { cause: error },
  );
}
