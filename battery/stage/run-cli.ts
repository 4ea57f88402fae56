import { spawn } from 'node:child_process';
import { atExit } from './at-exit.ts';
import type { Producer } from './producer.ts';
import { BIN } from './worker-process.ts';

/** How a run of the command line ended. */
export interface CliEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the command line, as somebody at a terminal would start it. */
export interface CliRun {
  kill(): void;
  readonly hasEnded: boolean;
  readonly ended: Promise<CliEnd>;
}

/** Starts the command line with the producer's way to Redis, so that what it sends can be watched and struck. */
export function startCli(
  { config }: Pick<Producer, 'config'>,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  input = '',
): CliRun {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      ...env,
      REDIS_URL: config.redis.url,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const forget = atExit(() => child.kill('SIGKILL'));
  // What is killed while it reads breaks the pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  let hasEnded = false;
  const ended = new Promise<CliEnd>((resolve) => {
    child.once('close', (code, signal) => {
      forget();
      hasEnded = true;
      resolve({ code, signal, stdout, stderr });
    });
  });
  return {
    kill: () => void child.kill('SIGKILL'),
    get hasEnded() {
      return hasEnded;
    },
    ended,
  };
}
