import { Command, InvalidArgumentError } from 'commander';
import { type FilterFlags, meantBy, withFilterOptions } from '../dead-letters/filter-options.ts';
import { EXIT } from '../exit-codes.ts';
import { withHelpEnd } from '../help.ts';
import { defaultWho, parseWho } from '../who.ts';

const SERVICES = [
  [EXIT.unavailable, 'Redis is not there'],
  [EXIT.configuration, 'the configuration is wrong'],
] as const;

const BY = 'who does it, for the letter and the audit log (default: user@host)';

interface EditCommandFlags {
  readonly patch?: string;
  readonly patchFile?: string;
  readonly set?: readonly (readonly [string, string])[];
  readonly unset?: readonly string[];
  readonly by?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Mends the report in a letter. */
export function editCommand(): Command {
  const command = new Command('edit')
    .summary('mend the report in a dead letter')
    .description(
      'Changes the report in a dead letter, by a JSON patch (RFC 6902) or field by field. The result has to be a ' +
        'report like any other; what was accepted is kept in the letter. Redrive it afterwards.',
    )
    .argument('<id>', 'its id, as the list shows it, or that of its job')
    .option('--patch <json>', 'a JSON patch of the report')
    .option('--patch-file <path>', 'a file that holds one; - is standard input')
    .option('--set <field=value>', 'give a field this value (repeatable)', collectSet)
    .option('--unset <field>', 'take a field away (repeatable)', collect)
    .option('--by <name>', BY, parseWho)
    .option('--dry-run', 'say what it would be; changes nothing')
    .option('--json', 'print one JSON object')
    .action(async (id: string, flags: EditCommandFlags, self: Command) => {
      const { patch, patchFile, set = [], unset = [], by = defaultWho(), dryRun, json } = flags;
      if (patch !== undefined && patchFile !== undefined) {
        usage(self, 'give --patch or --patch-file, not both');
      }
      if (patch === undefined && patchFile === undefined && set.length + unset.length === 0) {
        usage(self, 'say what to change: --set, --unset, --patch or --patch-file');
      }
      const changes = {
        set,
        unset,
        ...(patch === undefined ? {} : { patch }),
        ...(patchFile === undefined ? {} : { patchFile }),
      };
      const { editDeadLetter } = await import('../dead-letters/edit-dead-letter.ts');
      const output = { by, isDryRun: dryRun === true, isJson: json === true };
      process.exitCode = await editDeadLetter(id, changes, output);
    });
  return withHelpEnd(command, {
    examples: [
      'dead-letters edit d-r-SEUjvGpmS-BVSHzNmSQhfjpK --set connector_sync_job_id=Vy8xYpMBnhQ',
      'dead-letters edit d-r-SEUjvGpmS-BVSHzNmSQhfjpK --patch \'[{"op":"move","from":"/eror","path":"/error"}]\'',
    ],
    exitCodes: [
      [EXIT.done, 'edited, or so already'],
      [EXIT.someFailed, 'there is no such letter, or it would be no report'],
      [EXIT.usage, 'wrong usage'],
      ...SERVICES,
    ],
  });
}

interface PurgeFlags extends FilterFlags {
  readonly all?: true;
  readonly yes?: true;
  readonly by?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Takes letters away for good. */
export function purgeCommand(): Command {
  const command = withFilterOptions(
    new Command('purge')
      .summary('take dead letters away for good')
      .description(
        'Takes dead letters away for good, after their number has been confirmed. The audit log keeps who did it, ' +
          'when, which were meant and how many went.',
      )
      .argument('[ids...]', 'the letters meant, by their ids or those of their jobs'),
  )
    .option('--all', 'every dead letter')
    .option('-y, --yes', 'do not ask')
    .option('--by <name>', 'who does it, for the audit log (default: user@host)', parseWho)
    .option('--dry-run', 'say how many would be purged; changes nothing')
    .option('--json', 'print one JSON object')
    .action(async (ids: string[], flags: PurgeFlags, self: Command) => {
      const filter = meantBy(self, ids, flags, flags.all === true);
      const { purgeDeadLetters } = await import('../dead-letters/purge-dead-letters.ts');
      process.exitCode = await purgeDeadLetters(filter, {
        by: flags.by ?? defaultWho(),
        isConfirmed: flags.yes === true,
        isDryRun: flags.dryRun === true,
        isJson: flags.json === true,
      });
    });
  return withHelpEnd(command, {
    examples: [
      'dead-letters purge d-r-SEUjvGpmS-BVSHzNmSQhfjpK',
      'dead-letters purge --code superseded --older-than 30d',
      'dead-letters purge --code superseded --older-than 30d --yes --json',
    ],
    exitCodes: [
      [EXIT.done, 'purged, also where there were none'],
      [EXIT.someFailed, 'not confirmed; nothing was purged'],
      [EXIT.usage, 'wrong usage, or nobody to ask and no --yes'],
      ...SERVICES,
      [EXIT.interrupted, 'interrupted; some may have been purged'],
    ],
  });
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

function collectSet(
  text: string,
  before: readonly (readonly [string, string])[] = [],
): (readonly [string, string])[] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Expected field=value.');
  return [...before, [text.slice(0, equals), text.slice(equals + 1)]];
}

function usage(command: Command, message: string): never {
  return command.error(`error: ${message}`, { exitCode: EXIT.usage, code: 'usage' });
}
