import type { Log } from '../pipeline/ports.ts';
import { problemOfError } from './problem-of-error.ts';

/** Says of a fault what the client is not told. */
export function logFault(log: Log, error: unknown): void {
  if (problemOfError(error).status < 500) return;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  log.warn({ error: text }, 'request could not be answered');
}
