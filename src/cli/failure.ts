import { EXIT, type ExitCode } from './exit-codes.ts';
import { escapeLines } from './output.ts';

/** Ends a command with a message for the person who called it, and no stack trace. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What to say of a failure, and with which code to end. */
export interface Ending {
  readonly exitCode: ExitCode;
  /** Safe to print. */
  readonly lines: readonly string[];
}

/**
 * Tells what a person can act on from a fault of ours, which comes with its stack.
 *
 * The classes below the CLI are told by name: importing them would load Redis' client for every `--help`.
 */
export function endingOf(error: unknown): Ending {
  if (error instanceof CliFailure) {
    return { exitCode: error.exitCode, lines: escapeLines(`error: ${error.message}`) };
  }
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  switch (name) {
    case 'ConfigInvalid':
      return { exitCode: EXIT.configuration, lines: escapeLines(message) };
    case 'RedisUnsuitable':
      return {
        exitCode: EXIT.configuration,
        lines: ['error: this Redis cannot be used.', ...escapeLines(message)],
      };
    case 'RedisUnavailable':
      return { exitCode: EXIT.unavailable, lines: escapeLines(`error: ${message}`) };
    default:
      return {
        exitCode: EXIT.bug,
        lines: ['error: this is a fault of sync-error-relay; please report it.', ...stackOf(error)],
      };
  }
}

/** Stacks only: the fields of a Redis error hold the command, and with it the password or the report. */
function stackOf(error: unknown): string[] {
  if (!(error instanceof Error)) return escapeLines(String(error));
  const cause = error.cause === undefined ? [] : ['caused by', ...stackOf(error.cause)];
  return [...escapeLines(error.stack ?? String(error)), ...cause];
}
