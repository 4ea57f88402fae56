/** The program: importing this file runs it. */
import { CommanderError } from 'commander';
import { EXIT } from './exit-codes.ts';
import { endingOf, sayFailure } from './failure.ts';
import { createProgram } from './program.ts';

passOverBrokenPipes();
process.on('uncaughtException', (error) => process.exit(tellFailure(error)));

try {
  // A command is called by its whole name, which stands somewhere among the words.
  const words = new Set(process.argv.slice(2));
  const program = await createProgram((name) => words.has(name));
  await program.parseAsync();
} catch (error) {
  process.exitCode = error instanceof CommanderError ? exitCodeOfUsage(error) : tellFailure(error);
}

/** Commander has printed already what it ends with, help as well as what is wrong. */
function exitCodeOfUsage({ exitCode }: CommanderError): number {
  return exitCode === 0 ? EXIT.done : EXIT.usage;
}

function tellFailure(error: unknown): number {
  const ending = endingOf(error);
  sayFailure(ending);
  return ending.exitCode;
}

/**
 * `| head` closes the pipe when it has seen enough. The command goes on to its end all the same: ending at once
 * would leave a file of reports half read, and the exit code would not say so.
 */
function passOverBrokenPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
    });
  }
}
