/**
 * A process that cannot outlive this one.
 *
 * 1. A shell starts the program and keeps the reading end of a pipe whose writing end only we hold.
 * 2. The pipe ends when we close it, and the kernel closes it for us however we die: SIGKILL too, which
 *    no handler of our own could see. Nothing has to be polled, and no system call of one platform is used.
 * 3. At that end a subshell sends SIGTERM, and SIGKILL when the grace is over. Until the shell has waited
 *    for the program its process id cannot be given to another, so no stranger is ever signalled.
 * 4. The shell waits for the program whatever ended it, and for the subshell, whose trap lets a sleep end
 *    first: nobody is left for an init that may not exist. It removes the folder and exits as the program did.
 *    It speaks to nobody after the first line: a word into a pipe that nobody reads any more would end it.
 *
 * Stopping and dying are one path, so the tests of one are the tests of the other. The group of its own
 * keeps Ctrl-C on the terminal from ending the program before we have finished with it.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

const SCRIPT = `
folder=$1 tenths=$2
shift 2
exec 3<&0 </dev/null
"$@" 3<&- >&2 &
program=$!
echo "$program"
exec >/dev/null 2>&1
(
  while read -r line; do :; done <&3
  trap 'exit' TERM
  kill -TERM "$program"
  while [ "$tenths" -gt 0 ]; do sleep 0.1; tenths=$((tenths - 1)); done
  kill -KILL "$program"
) &
watcher=$!
wait "$program"
status=$?
kill "$watcher"
wait "$watcher"
if [ -n "$folder" ]; then rm -rf -- "$folder"; fi
exit "$status"
`;

const STANDARD_PATH = '/usr/local/bin:/usr/bin:/bin';
const KEPT_OUTPUT_CHARACTERS = 8_192;

/** What to start, and how it is cleaned up. */
export interface GuardedCommand {
  /** Absolute path. */
  readonly binary: string;
  readonly arguments: readonly string[];
  /** Working folder. */
  readonly folder: string;
  /** Whether the folder goes when the program has ended. */
  readonly removeFolder: boolean;
  /** From SIGTERM to SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** Where the shell finds `sleep` and `rm`, before the standard folders. */
  readonly path: string | undefined;
}

/** A program that was started; it ends with this process at the latest. */
export interface GuardedProcess {
  /** The program's own process id, not the shell's. */
  readonly pid: number;
  /** Resolves when the program has ended and nothing of it is left, with the last of what it printed. */
  readonly ended: Promise<string>;
  /** Ends it and waits for that; may be called twice, and after it ended by itself. */
  stop(): Promise<void>;
}

/**
 * Starts a program under guard.
 *
 * @throws Error where there is no shell, or the folder is gone.
 */
export async function startGuarded(command: GuardedCommand): Promise<GuardedProcess> {
  const tenths = String(Math.ceil(command.graceMs / 100));
  const shell = spawn(
    '/bin/sh',
    [
      '-c',
      SCRIPT,
      'guard',
      command.removeFolder ? command.folder : '',
      tenths,
      command.binary,
      ...command.arguments,
    ],
    {
      cwd: command.folder,
      detached: true,
      // Nothing else of our environment: keys to other services are none of the program's business.
      env: { PATH: command.path === undefined ? STANDARD_PATH : `${command.path}:${STANDARD_PATH}` },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  const ended = collectOutput(shell);
  // Nothing is ever written, so an error here can only tell of an end that 'close' tells as well.
  shell.stdin.on('error', () => undefined);
  const pid = await readPid(shell);
  return {
    pid,
    ended,
    stop: async () => {
      shell.stdin.end();
      await ended;
    },
  };
}

type Shell = ChildProcessByStdio<Writable, Readable, Readable>;

/** 'close' waits for all who hold the output, so it comes after the program itself and not only after its shell. */
function collectOutput(shell: Shell): Promise<string> {
  let output = '';
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-KEPT_OUTPUT_CHARACTERS);
  });
  return new Promise((resolve) => {
    shell.on('close', () => resolve(output));
  });
}

function readPid(shell: Shell): Promise<number> {
  return new Promise((resolve, reject) => {
    shell.once('error', reject);
    shell.stdout.setEncoding('utf8').once('data', (text: string) => resolve(Number.parseInt(text, 10)));
    shell.stdout.once('end', () => reject(new Error('The shell that guards the program ended at once.')));
  });
}
