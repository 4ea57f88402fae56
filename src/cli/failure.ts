import { EXIT, type ExitCode } from './exit-codes.ts';
import { escapeLines, paint, say } from './output.ts';

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
  /** What went wrong, on one or more lines; may hold anything. */
  readonly message: string;
  /** Whether `error:` stands before it; a list of variables needs no title. */
  readonly isTitled: boolean;
}

/**
 * Tells what a person can act on from a fault of ours, which comes with its stack.
 *
 * The classes below the CLI are told by name: importing them would load Redis' client for every `--help`.
 */
export function endingOf(error: unknown): Ending {
  if (error instanceof CliFailure) {
    return { exitCode: error.exitCode, message: error.message, isTitled: true };
  }
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  switch (name) {
    case 'ConfigInvalid':
      return { exitCode: EXIT.configuration, message, isTitled: false };
    case 'ElasticsearchOptionsInvalid':
      return { exitCode: EXIT.configuration, message, isTitled: true };
    case 'RedisUnsuitable':
      return {
        exitCode: EXIT.configuration,
        message: `this Redis cannot be used.\n${message}`,
        isTitled: true,
      };
    case 'RedisMissing':
    case 'RedisUnavailable':
      return { exitCode: EXIT.unavailable, message, isTitled: true };
    default:
      return {
        exitCode: EXIT.bug,
        message: `this is a fault of sync-error-relay; please report it.\n${stackOf(error)}`,
        isTitled: true,
      };
  }
}

/** Writes what went wrong to standard error. */
export function sayFailure({ message, isTitled }: Ending): void {
  const title = isTitled ? `${paint('red', 'error:', process.stderr)} ` : '';
  say(title + escapeLines(message).join('\n'));
}

/** Stacks only: the fields of a Redis error hold the command, and with it the password or the report. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? String(error)}${cause}`;
}
