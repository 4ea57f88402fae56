import { Command, InvalidArgumentError } from 'commander';
import { DEAD_LETTER_CODES, type DeadLetterCode } from '../../domain/codes.ts';
import { EXIT } from '../exit-codes.ts';
import { withHelpEnd } from '../help.ts';
import { suggest } from '../suggest.ts';
import { wholeNumber } from '../whole-number.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;

interface ListOptions {
  readonly code?: DeadLetterCode;
  readonly limit: number;
  readonly offset: number;
  readonly json?: true;
}

/** Looks at the reports that are not tried again by themselves. */
export function deadLettersCommand(): Command {
  return new Command('dead-letters')
    .summary('look at the reports that could not pass')
    .description('Looks at the reports that are not tried again by themselves.')
    .addCommand(listCommand())
    .addCommand(showCommand());
}

function listCommand(): Command {
  const command = new Command('list')
    .summary('list dead letters, newest first')
    .description('Lists dead letters, newest first.')
    .option('-c, --code <code>', 'only those with this code', parseCode)
    .option(
      '-n, --limit <number>',
      `most letters to list, at most ${MAX_LIMIT}`,
      wholeNumber(1, MAX_LIMIT),
      DEFAULT_LIMIT,
    )
    .option('--offset <number>', 'letters to pass over', wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .option('--json', 'print one JSON object')
    .action(async ({ code, limit, offset, json }: ListOptions) => {
      const { listDeadLetters } = await import('../list-dead-letters.ts');
      await listDeadLetters({ code, limit, offset }, json === true);
    });
  return withHelpEnd(command, {
    note: `Codes: ${DEAD_LETTER_CODES.join(', ')}`,
    examples: [
      'dead-letters list',
      'dead-letters list --code sync_job_not_found --limit 10',
      'dead-letters list --json',
    ],
    exitCodes: [
      [EXIT.done, 'done, also where there are none'],
      [EXIT.usage, 'wrong usage'],
      [EXIT.unavailable, 'Redis is not there'],
      [EXIT.configuration, 'the configuration is wrong'],
    ],
  });
}

function showCommand(): Command {
  const command = new Command('show')
    .summary('show one dead letter in full')
    .description('Shows one dead letter: why it is here, every attempt, and the whole error.')
    .argument('<id>', 'its id, as the list shows it (d-r-…)')
    .option('--json', 'print one JSON object')
    .action(async (id: string, { json }: { readonly json?: true }) => {
      const { showDeadLetter } = await import('../show-dead-letter.ts');
      await showDeadLetter(id, json === true);
    });
  return withHelpEnd(command, {
    examples: ['dead-letters show d-r-SEUjvGpmS-BVSHzNmSQhfjpK'],
    exitCodes: [
      [EXIT.done, 'done'],
      [EXIT.someFailed, 'there is no such letter'],
      [EXIT.usage, 'wrong usage'],
      [EXIT.unavailable, 'Redis is not there'],
      [EXIT.configuration, 'the configuration is wrong'],
    ],
  });
}

function parseCode(text: string): DeadLetterCode {
  const code = DEAD_LETTER_CODES.find((each) => each === text);
  if (code !== undefined) return code;
  const near = suggest(text, DEAD_LETTER_CODES);
  throw new InvalidArgumentError(
    `${near === undefined ? '' : `Did you mean ${near}? `}The codes are ${DEAD_LETTER_CODES.join(', ')}.`,
  );
}
