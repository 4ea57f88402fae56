/** The command line as it is published: the built files, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const BIN = fileURLToPath(new URL('../../bin/sync-error-relay.js', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly child: ChildProcess;
  /** The JSON lines printed so far. */
  readonly lines: Record<string, unknown>[];
  /** Resolves when a line with this message is there. */
  line(message: string): Promise<Record<string, unknown>>;
  /** Sends the signal, and resolves with the exit code, null where the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export type Environment = Readonly<Record<string, string>>;

function start(args: readonly string[], env: Environment): ChildProcess {
  if (!existsSync(BUILT)) throw new Error('dist/ is missing: run `npm run build`, as `npm test` does');
  const child = spawn(process.execPath, [BIN, ...args], {
    // Nothing of the caller's environment may name another Redis or Elasticsearch.
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], env: Environment, input = ''): Promise<CliResult> {
  const child = start(args, env);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that ends before it has read its input is not this function's business.
  child.stdin?.on('error', () => undefined).end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

/** Starts a command that stays up and prints JSON lines. */
export function startCli(args: readonly string[], env: Environment): RunningCli {
  const child = start(args, env);
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  if (child.stdout === null) throw new Error('no standard output');
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text) as Record<string, unknown>);
    for (const look of waiting) look();
  });
  return {
    child,
    lines,
    line: (message) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const line = lines.find(({ msg }) => msg === message);
          if (line === undefined) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
        look();
        void closed.then((code) => reject(new Error(`ended with ${code} before "${message}": ${stderr}`)));
      }),
    async end(signal) {
      child.kill(signal);
      return closed;
    },
  };
}
