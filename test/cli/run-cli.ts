/** The command line as a child process, as people run it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Nothing listens there: 9 is the discard service. */
export const NO_REDIS = 'redis://user:hunter2@127.0.0.1:9';

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on standard input, which then ends. */
  readonly input?: string | Uint8Array;
  /** Working directory; an empty one where absent. */
  readonly cwd?: string;
}

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder for one test. */
export function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sync-error-relay-cli-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Starts the command line; the test has to wait for it to end. */
export function startCli(
  args: readonly string[],
  { env = {}, cwd = newFolder() }: CliOptions = {},
): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    // Nothing of the machine's own environment may decide what a test sees.
    env: { PATH: process.env['PATH'], REDIS_URL: NO_REDIS, ...env },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** What a started command line has said when it has ended. */
export async function endOf(child: ChildProcessWithoutNullStreams): Promise<CliResult> {
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  return { code, signal, stdout, stderr };
}

/** Runs the command line to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = startCli(args, options);
  // A command that does not read its input closes it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return await endOf(child);
}
