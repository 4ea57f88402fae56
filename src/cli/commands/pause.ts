import { Command, InvalidArgumentError } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { withHelpEnd } from '../help.ts';
import { print, printJson } from '../output.ts';
import { defaultWho } from '../who.ts';

/** Longest reason or name, in characters: it stands on one line of `status`. */
const MAX_NOTE_LENGTH = 500;

interface PauseOptions {
  readonly reason?: string;
  readonly by?: string;
  readonly json?: true;
}

const EXIT_CODES: readonly (readonly [number, string])[] = [
  [EXIT.usage, 'wrong usage'],
  [EXIT.unavailable, 'Redis is not there'],
  [EXIT.configuration, 'the configuration is wrong'],
];

/** Keeps workers from taking reports. */
export function pauseCommand(): Command {
  const command = new Command('pause')
    .summary('keep all workers from taking reports')
    .description(
      'Keeps all workers from taking reports until "resume", whatever restarts meanwhile. What is under way is ' +
        'finished, and reports are accepted as before. "status" says who paused, when and why.',
    )
    .option('--reason <text>', 'why, for whoever finds it paused', parseNote)
    .option('--by <name>', 'who pauses (default: user@host)', parseNote)
    .option('--json', 'print one JSON object')
    .action(async ({ reason, by, json }: PauseOptions) => {
      const { withRelay } = await import('../with-relay.ts');
      const { describePause, pauseFields } = await import('../describe-pause.ts');
      const at = new Date();
      const note = {
        by: by ?? defaultWho(),
        at: at.toISOString(),
        ...(reason === undefined ? {} : { reason }),
      };
      const result = await withRelay((relay) => relay.pause(note));
      const standing = result.status === 'paused' ? note : result.note;
      if (json === true) printJson({ status: result.status, ...pauseFields(standing) });
      else if (result.status === 'paused') {
        print(
          'Paused: workers take no more reports until "sync-error-relay resume"; what is under way is finished.',
        );
      } else print(`Paused already, ${describePause(standing, at.getTime())}`);
    });
  return withHelpEnd(command, {
    examples: ['pause --reason "Elasticsearch is upgraded until noon"', 'pause --by "ann, on call"'],
    exitCodes: [[EXIT.done, 'paused, now or before'], ...EXIT_CODES],
  });
}

/** Lets workers take reports again. */
export function resumeCommand(): Command {
  const command = new Command('resume')
    .summary('let workers take reports again')
    .description('Lets workers take reports again after "pause".')
    .option('--json', 'print one JSON object')
    .action(async ({ json }: { readonly json?: true }) => {
      const { withRelay } = await import('../with-relay.ts');
      const { describePause, pauseFields } = await import('../describe-pause.ts');
      const result = await withRelay((relay) => relay.resume());
      if (json === true) {
        printJson(
          result.status === 'resumed' ? { status: result.status, ...pauseFields(result.note) } : result,
        );
      } else if (result.status === 'resumed') {
        print(`Resumed; it was paused, ${describePause(result.note, Date.now())}`);
      } else print('It was not paused; nothing has changed.');
    });
  return withHelpEnd(command, {
    examples: ['resume'],
    exitCodes: [[EXIT.done, 'resumed, or not paused at all'], ...EXIT_CODES],
  });
}

function parseNote(text: string): string {
  const note = text.trim();
  if (note !== '' && note.length <= MAX_NOTE_LENGTH) return note;
  throw new InvalidArgumentError(`Expected 1 to ${MAX_NOTE_LENGTH} characters.`);
}
