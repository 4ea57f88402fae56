import { Command } from 'commander';
import { MAX_REDRIVES } from '../../domain/lineage.ts';
import { MAX_REDRIVE_RATE, REDRIVE_DEFAULTS } from '../../pipeline/redrive-ports.ts';
import { type FilterFlags, meantBy, withFilterOptions } from '../dead-letters/filter-options.ts';
import { EXIT } from '../exit-codes.ts';
import { withHelpEnd } from '../help.ts';
import { defaultWho, parseWho } from '../who.ts';
import { wholeNumber } from '../whole-number.ts';

interface RedriveFlags extends FilterFlags {
  readonly all?: true;
  readonly rate: number;
  readonly limit?: number;
  readonly canary: number;
  readonly canaryTimeout: number;
  readonly stopAfter: number;
  readonly keepGoing?: true;
  readonly maxRedrives: number;
  readonly by?: string;
  readonly dryRun?: true;
  readonly list?: true;
  readonly resume?: string;
  readonly cancel?: string;
  readonly json?: true;
}

const most = Number.MAX_SAFE_INTEGER;

/** Puts dead letters back into the queue. */
export function redriveCommand(): Command {
  const { rate, canary, canaryTimeoutMs, stopAfter, maxRedrives } = REDRIVE_DEFAULTS;
  const command = withFilterOptions(
    new Command('redrive')
      .summary('put dead letters back into the queue')
      .description(
        'Puts dead letters back into the queue, oldest first, at a rate that Elasticsearch can bear. Each is ' +
          'at any moment either a letter or in the queue. A run that is interrupted or killed is resumed from ' +
          'its own record.',
      )
      .argument('[ids...]', 'the letters meant, by their ids or those of their jobs'),
  )
    .option('--all', 'every dead letter')
    .option('--rate <number>', 'most reports a second', wholeNumber(1, MAX_REDRIVE_RATE), rate)
    .option('-n, --limit <number>', 'most reports in all', wholeNumber(1, most))
    .option(
      '--canary <number>',
      'send so many first, wait for them, and send the rest only if all of them pass',
      wholeNumber(0, 10_000),
      canary,
    )
    .option(
      '--canary-timeout <seconds>',
      'how long to wait for them',
      wholeNumber(1, 86_400),
      canaryTimeoutMs / 1_000,
    )
    .option(
      '--stop-after <number>',
      'stop when so many are dead again with the code they had',
      wholeNumber(1, most),
      stopAfter,
    )
    .option('--keep-going', 'do not stop for that')
    .option(
      '--max-redrives <number>',
      'pass over letters that have been redriven so often already',
      wholeNumber(1, MAX_REDRIVES),
      maxRedrives,
    )
    .option('--by <name>', 'who does it, for the letters and the audit log (default: user@host)', parseWho)
    .option('--dry-run', 'say what would be redriven; changes nothing')
    .option('--list', 'list the last runs')
    .option('--resume <run>', 'go on with a run that was interrupted, killed or has stopped')
    .option('--cancel <run>', 'end a run for good, wherever it is carried out')
    .option('--json', 'print one JSON object')
    .action(async (ids: string[], flags: RedriveFlags, self: Command) => {
      process.exitCode = await run(ids, flags, self);
    });
  return withHelpEnd(command, {
    examples: [
      'dead-letters redrive d-r-SEUjvGpmS-BVSHzNmSQhfjpK',
      'dead-letters redrive --code attempts_exhausted --dry-run',
      'dead-letters redrive --code attempts_exhausted --canary 10 --rate 50',
      'dead-letters redrive --list',
      'dead-letters redrive --resume run-1f0c9a3e',
    ],
    exitCodes: [
      [EXIT.done, 'all were redriven'],
      [EXIT.someFailed, 'some were passed over, or the run stopped, was cancelled or refused'],
      [EXIT.usage, 'wrong usage'],
      [EXIT.unavailable, 'Redis is not there; the run can be resumed'],
      [EXIT.configuration, 'the configuration is wrong'],
      [EXIT.interrupted, 'interrupted; the run can be resumed'],
    ],
  });
}

async function run(ids: readonly string[], flags: RedriveFlags, command: Command): Promise<number> {
  const { list, resume, cancel, json, dryRun, by = defaultWho() } = flags;
  const isJson = json === true;
  const { cancelRun, listRuns, previewRedrive, redrive } = await import('../dead-letters/redrive.ts');
  if (list === true) {
    await listRuns(isJson);
    return EXIT.done;
  }
  if (cancel !== undefined) return cancelRun(cancel, by, isJson);
  if (resume !== undefined) return redrive({ kind: 'resume', run: resume, by }, isJson);
  const filter = meantBy(command, ids, flags, flags.all === true);
  const options = {
    by,
    rate: flags.rate,
    limit: flags.limit,
    canary: flags.canary,
    canaryTimeoutMs: flags.canaryTimeout * 1_000,
    stopAfter: flags.keepGoing === true ? 0 : flags.stopAfter,
    maxRedrives: flags.maxRedrives,
  };
  if (dryRun === true) {
    await previewRedrive(filter, options, isJson);
    return EXIT.done;
  }
  return redrive({ kind: 'new', filter, options }, isJson);
}
