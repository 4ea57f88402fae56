import type { Command } from 'commander';
import { paint } from './output.ts';

/** What a command's help says after its options. */
export interface HelpEnd {
  /** Command lines without the program's name. */
  readonly examples: readonly string[];
  /** Exit codes and what they mean here. */
  readonly exitCodes: readonly (readonly [code: number, meaning: string])[];
  /** One more paragraph. */
  readonly note?: string;
}

const PROGRAM = 'sync-error-relay';

/** Adds examples and exit codes to the command's help, and returns the command. */
export function withHelpEnd(command: Command, { examples, exitCodes, note }: HelpEnd): Command {
  return command.addHelpText('after', ({ error }) => {
    const title = (text: string): string => paint('bold', text, error ? process.stderr : process.stdout);
    const codes = exitCodes.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`);
    return [
      ...(note === undefined ? [] : ['', note]),
      '',
      title('Examples:'),
      ...examples.map((example) => `  ${PROGRAM} ${example}`.trimEnd()),
      '',
      title('Exit codes:'),
      ...codes,
    ].join('\n');
  });
}
