import { Command } from 'commander';
import { type FilterFlags, filterOf, withFilterOptions } from '../dead-letters/filter-options.ts';
import { EXIT } from '../exit-codes.ts';
import { withHelpEnd } from '../help.ts';
import { defaultWho, parseWho } from '../who.ts';
import { wholeNumber } from '../whole-number.ts';

const SERVICES = [
  [EXIT.unavailable, 'Redis is not there'],
  [EXIT.configuration, 'the configuration is wrong'],
] as const;

/** Writes letters out. */
export function exportCommand(): Command {
  const command = withFilterOptions(
    new Command('export')
      .summary('write dead letters out, one JSON object a line')
      .description('Writes dead letters to standard output, one JSON object a line, oldest first.')
      .argument('[ids...]', 'the letters meant; all where none is named'),
  ).action(async (ids: string[], flags: FilterFlags) => {
    const { exportDeadLetters } = await import('../dead-letters/export-dead-letters.ts');
    await exportDeadLetters(ids.length === 0 ? filterOf(flags) : { ...filterOf(flags), ids });
  });
  return withHelpEnd(command, {
    examples: [
      'dead-letters export > dead-letters.ndjson',
      'dead-letters export --code rejected | jq .report',
    ],
    exitCodes: [[EXIT.done, 'done, also where there are none'], [EXIT.usage, 'wrong usage'], ...SERVICES],
  });
}

interface ImportFlags {
  readonly by?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Takes letters in. */
export function importCommand(): Command {
  const command = new Command('import')
    .summary('take dead letters in that export has written')
    .description(
      'Keeps the dead letters of an NDJSON file. A letter that is here already, or whose report is on its way in ' +
        'the queue, is left alone, so that repeating it is harmless.',
    )
    .argument('<file>', 'the file; - is standard input')
    .option('--by <name>', 'who does it, for the audit log (default: user@host)', parseWho)
    .option('--dry-run', 'check only; changes nothing')
    .option('--json', 'print one JSON object')
    .action(async (file: string, { by = defaultWho(), dryRun, json }: ImportFlags) => {
      const { importDeadLetters } = await import('../dead-letters/import-dead-letters.ts');
      const output = { by, isDryRun: dryRun === true, isJson: json === true };
      process.exitCode = await importDeadLetters(file, output);
    });
  return withHelpEnd(command, {
    examples: ['dead-letters import dead-letters.ndjson', 'dead-letters import - < dead-letters.ndjson'],
    exitCodes: [
      [EXIT.done, 'all are here now'],
      [EXIT.someFailed, 'some lines are no dead letters'],
      [EXIT.usage, 'wrong usage, or a file that cannot be read'],
      ...SERVICES,
    ],
  });
}

/** Tells what people did. */
export function auditCommand(): Command {
  const command = new Command('audit')
    .summary('tell who did what with dead letters')
    .description(
      'Tells who redrove, edited, purged and imported dead letters and how many expired, newest first. About ' +
        '10,000 entries are kept.',
    )
    .option('-n, --limit <number>', 'most entries to tell', wholeNumber(1, 20_000), 50)
    .option('--json', 'print one JSON object')
    .action(async ({ limit, json }: { readonly limit: number; readonly json?: true }) => {
      const { auditDeadLetters } = await import('../dead-letters/audit-dead-letters.ts');
      await auditDeadLetters(limit, json === true);
    });
  return withHelpEnd(command, {
    examples: ['dead-letters audit', 'dead-letters audit --json | jq .totals'],
    exitCodes: [[EXIT.done, 'done'], [EXIT.usage, 'wrong usage'], ...SERVICES],
  });
}
