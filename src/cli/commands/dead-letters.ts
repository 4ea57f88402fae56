import { Command } from 'commander';
import { DEAD_LETTER_CODES } from '../../domain/codes.ts';
import { type FilterFlags, filterOf, withFilterOptions } from '../dead-letters/filter-options.ts';
import { EXIT } from '../exit-codes.ts';
import { CliFailure } from '../failure.ts';
import { withHelpEnd } from '../help.ts';
import { wholeNumber } from '../whole-number.ts';
import { editCommand, purgeCommand } from './dead-letters-change.ts';
import { auditCommand, exportCommand, importCommand } from './dead-letters-files.ts';
import { redriveCommand } from './dead-letters-redrive.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;

interface ListFlags extends FilterFlags {
  readonly limit: number;
  readonly offset: number;
  readonly cursor?: string;
  readonly json?: true;
}

/** Works with the reports that are not tried again by themselves. */
export function deadLettersCommand(): Command {
  return new Command('dead-letters')
    .summary('work with the reports that could not pass')
    .description(
      'Works with the reports that are not tried again by themselves: docs/operations.md says what to do by code.',
    )
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(redriveCommand())
    .addCommand(editCommand())
    .addCommand(purgeCommand())
    .addCommand(exportCommand())
    .addCommand(importCommand())
    .addCommand(auditCommand());
}

function listCommand(): Command {
  const command = withFilterOptions(
    new Command('list')
      .summary('list dead letters, newest first')
      .description('Lists dead letters, newest first. Of several conditions all have to be met.')
      .argument('[ids...]', 'only these, by their ids or those of their jobs'),
  )
    .option(
      '-n, --limit <number>',
      `most letters to list, at most ${MAX_LIMIT}`,
      wholeNumber(1, MAX_LIMIT),
      DEFAULT_LIMIT,
    )
    .option('--offset <number>', 'letters to pass over', wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .option('--cursor <cursor>', 'go on where the page before ended')
    .option('--json', 'print one JSON object')
    .action(async (ids: string[], { limit, offset, cursor, json, ...flags }: ListFlags) => {
      const { listDeadLetters } = await import('../dead-letters/list-dead-letters.ts');
      const meant = ids.length === 0 ? {} : { ids };
      const query = {
        ...filterOf(flags),
        ...meant,
        limit,
        offset,
        ...(cursor === undefined ? {} : { cursor }),
      };
      await asUsage('--cursor', () => listDeadLetters(query, json === true));
    });
  return withHelpEnd(command, {
    note: `Codes: ${DEAD_LETTER_CODES.join(', ')}`,
    examples: [
      'dead-letters list',
      'dead-letters list --code sync_job_not_found --limit 10',
      'dead-letters list --connector-id my-connector --newer-than 2h --json',
      'dead-letters list --text TimeoutError --status 404',
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
    .description(
      'Shows one dead letter: why it is here, what can be done about it, every attempt, its earlier lives and ' +
        'edits, and the whole error.',
    )
    .argument('<id>', 'its id, as the list shows it (d-r-…), or that of its job')
    .option('--live', 'ask Elasticsearch what it holds about the sync job now')
    .option('--json', 'print one JSON object')
    .action(async (id: string, { live, json }: { readonly live?: true; readonly json?: true }) => {
      const { showDeadLetter } = await import('../dead-letters/show-dead-letter.ts');
      await showDeadLetter(id, { isLive: live === true, isJson: json === true });
    });
  return withHelpEnd(command, {
    examples: [
      'dead-letters show d-r-SEUjvGpmS-BVSHzNmSQhfjpK',
      'dead-letters show d-r-SEUjvGpmS-BVSHzNmSQhfjpK --live',
    ],
    exitCodes: [
      [EXIT.done, 'done'],
      [EXIT.someFailed, 'there is no such letter'],
      [EXIT.usage, 'wrong usage'],
      [EXIT.unavailable, 'Redis is not there'],
      [EXIT.configuration, 'the configuration is wrong'],
    ],
  });
}

/** What the library refuses in an option is wrong usage. */
async function asUsage(option: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CliFailure(`${option}: ${error.message}`, EXIT.usage, { cause: error });
  }
}
