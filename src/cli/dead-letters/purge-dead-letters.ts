import { createInterface } from 'node:readline/promises';
import type { DeadLetterFilter } from '../../domain/dead-letter-filter.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exit-codes.ts';
import { CliFailure } from '../failure.ts';
import { formatCount, print, printJson, say } from '../output.ts';
import { createProgress } from '../progress.ts';
import { type EndSignal, onEndSignal } from '../signals.ts';
import { withRelay } from '../with-relay.ts';

/** How a purge behaves and speaks. */
export interface PurgeOutput {
  readonly by: string;
  /** Whether it was confirmed on the command line. */
  readonly isConfirmed: boolean;
  readonly isDryRun: boolean;
  readonly isJson: boolean;
}

/**
 * Takes letters away for good, once somebody has confirmed their number.
 *
 * @throws {CliFailure} where nobody can be asked
 */
export async function purgeDeadLetters(given: DeadLetterFilter, output: PurgeOutput): Promise<ExitCode> {
  return await withRelay(async ({ deadLetters }) => {
    // What dies while somebody thinks about it was not in the number that is confirmed.
    const filter = await deadLetters.upToNow(given);
    const count = await deadLetters.count(filter);
    if (output.isDryRun) {
      if (output.isJson) printJson({ would_purge: count, dry_run: true });
      else print(`${formatCount(count, 'dead letter')} would be purged (dry run: nothing was changed)`);
      return EXIT.done;
    }
    if (count > 0 && !output.isConfirmed && !(await confirm(count))) {
      say('Nothing was purged.');
      return EXIT.someFailed;
    }

    const interrupt = new AbortController();
    let signal: EndSignal | undefined;
    using _signals = onEndSignal((received) => {
      signal = received;
      interrupt.abort();
    });
    const bar = output.isJson ? undefined : createProgress('Purging', count, 'letters');
    const onProgress = (purged: number): void => bar?.update(purged);
    const purged =
      count === 0
        ? 0
        : await deadLetters
            .purge(filter, output.by, { signal: interrupt.signal, onProgress })
            .finally(() => bar?.stop());
    bar?.stop();
    if (output.isJson) printJson({ purged });
    else print(`${formatCount(purged, 'dead letter')} purged`);
    return signal === undefined ? EXIT.done : exitCodeOf(signal);
  });
}

async function confirm(count: number): Promise<boolean> {
  const what = formatCount(count, 'dead letter');
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CliFailure(`${what} would be purged for good; confirm it with --yes`, EXIT.usage);
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`Purge ${what} for good? This cannot be undone. [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
