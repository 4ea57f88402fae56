import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { atExit } from '../../battery/stage/at-exit.ts';
import { type Usage, usageOf } from './usage.ts';

/** How a process is started: arguments of Node, and all of its environment that is not the bench's own. */
export interface Command {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A process that was started, and is ended with the bench at the latest. */
export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly pid: number;
  usage(): Usage;
  /** Whatever it promises, but no longer than the process lives. @throws {Error} where it ends before */
  during<T>(work: Promise<T>): Promise<T>;
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>;
  /** Ends it at once. */
  kill(): Promise<void>;
}

export interface ChildOptions {
  /** Its standard output goes to a file there, as a service's would, or to a pipe where this is absent. */
  readonly logFolder?: string;
  /** Whether it may send messages. */
  readonly talks?: boolean;
  /** What it is called in errors. */
  readonly name: string;
}

/** Starts a process of the same Node as the bench's. */
export function startChild({ args, env }: Command, { logFolder, talks = false, name }: ChildOptions): Child {
  const output = logFolder === undefined ? 'pipe' : openSync(join(logFolder, 'worker.log'), 'w');
  const child = spawn(process.execPath, args, {
    // Nothing of the caller's environment may name another Redis or Elasticsearch.
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', output, 'pipe', ...(talks ? (['ipc'] as const) : [])],
    serialization: 'advanced',
  });
  if (output !== 'pipe') closeSync(output);
  const forget = atExit(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      forget();
      resolve(code);
    });
  });
  return {
    process: child,
    pid: child.pid ?? 0,
    usage: () => usageOf(child.pid ?? 0),
    during: (work) =>
      Promise.race([
        work,
        ended.then((code) => {
          throw new Error(`${name} ended with ${code} before its work was done: ${said.trim()}`);
        }),
      ]),
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async [Symbol.asyncDispose]() {
      await this.kill();
    },
  };
}
