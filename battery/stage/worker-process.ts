import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { atExit } from './at-exit.ts';

/** The command line as it is published. */
export const BIN: string = fileURLToPath(new URL('../../bin/sync-error-relay.js', import.meta.url));

/** One line of a worker's log. */
export interface LogLine {
  /** Which place in the fleet, and which process of that place, counted from 0. */
  readonly slot: number;
  readonly incarnation: number;
  readonly atMs: number;
  readonly level: string;
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly atMs: number;
}

/** A worker that runs, or did. */
export interface WorkerProcess {
  readonly slot: number;
  readonly incarnation: number;
  readonly startedAtMs: number;
  readonly pid: number;
  /** Resolves with the first line that says so; undefined where the process ended before. */
  line(message: string): Promise<LogLine | undefined>;
  readonly exited: Promise<Exit>;
  /** Set once it has ended. */
  readonly exit: Exit | undefined;
  /** When it was killed by the battery, and so whatever it was at was left as it was. */
  readonly killedAtMs: number | undefined;
  signal(signal: NodeJS.Signals): void;
  /** Most memory it ever had, in MiB; 0 where the system does not tell. */
  readonly peakRssMiB: number;
  /** Bytes it has read so far, from files and sockets together; 0 where the system does not tell. */
  bytesRead(): number;
}

/** What a worker process is started with. */
export interface WorkerStart {
  readonly slot: number;
  readonly incarnation: number;
  readonly env: Readonly<Record<string, string>>;
  /** Is told of every line as it comes. */
  readonly onLine: (line: LogLine) => void;
  /** Is told of everything that is printed, as it is. */
  readonly onText: (text: string) => void;
}

const SAMPLE_MS = 250;

/** Starts one. */
export function startWorkerProcess({ slot, incarnation, env, onLine, onText }: WorkerStart): WorkerProcess {
  const child: ChildProcess = spawn(process.execPath, [BIN, 'work'], {
    // Nothing of the caller's environment may name another Redis or Elasticsearch.
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const firsts = new Map<string, LogLine>();
  const waiting = new Set<() => void>();
  const take = (text: string): void => {
    onText(text);
    const line = parseLine(text, slot, incarnation);
    if (!firsts.has(line.msg)) firsts.set(line.msg, line);
    onLine(line);
    for (const look of waiting) look();
  };
  for (const stream of [child.stdout, child.stderr]) {
    onLines(stream as Readable, take);
  }

  let exit: Exit | undefined;
  let killedAtMs: number | undefined;
  let peakRssMiB = 0;
  const pid = child.pid ?? 0;
  const sample = (): void => {
    peakRssMiB = Math.max(peakRssMiB, peakRssOf(pid));
  };
  const forget = atExit(() => child.kill('SIGKILL'));
  const sampling = setInterval(sample, SAMPLE_MS);
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      clearInterval(sampling);
      forget();
      exit = { code, signal, atMs: Date.now() };
      resolve(exit);
      for (const look of waiting) look();
    });
  });

  return {
    slot,
    incarnation,
    startedAtMs: Date.now(),
    pid,
    exited,
    line: (message) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = firsts.get(message);
          if (found === undefined && exit === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    get exit() {
      return exit;
    },
    get killedAtMs() {
      return killedAtMs;
    },
    signal(signal) {
      if (signal === 'SIGKILL') killedAtMs ??= Date.now();
      sample();
      child.kill(signal);
    },
    get peakRssMiB() {
      return peakRssMiB;
    },
    bytesRead: () => bytesReadBy(pid),
  };
}

/** Lines end with a line feed and nothing else: an id may hold what readline takes for an end. */
function onLines(stream: Readable, take: (line: string) => void): void {
  let begun = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (begun + chunk).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  stream.on('end', () => {
    if (begun !== '') take(begun);
  });
}

function parseLine(text: string, slot: number, incarnation: number): LogLine {
  try {
    const { time, level, msg, ...fields } = JSON.parse(text) as Record<string, unknown>;
    return {
      slot,
      incarnation,
      atMs: typeof time === 'string' ? Date.parse(time) : Date.now(),
      level: String(level),
      msg: String(msg),
      fields,
    };
  } catch {
    return { slot, incarnation, atMs: Date.now(), level: 'stray', msg: text, fields: {} };
  }
}

/** Linux only; elsewhere memory is not judged. */
function peakRssOf(pid: number): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? 0 : Number(kib) / 1_024;
  } catch {
    return 0;
  }
}

function bytesReadBy(pid: number): number {
  try {
    return Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
