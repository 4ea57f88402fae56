import { type DestinationStream, pino } from 'pino';
import type { Log } from '../../pipeline/ports.ts';
import type { LogLevel } from './log-level.ts';
import { withoutSecrets } from './without-secrets.ts';

/**
 * A log of JSON lines, one an event.
 *
 * @param destination where the lines go; standard output where it is absent
 */
export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: isoTime(Date.now),
    formatters: {
      level: (label: string) => ({ level: label }),
      // Nothing of ours logs a secret; should a later change pass an object that holds one, its value is gone
      // before the line exists.
      log: (fields: Record<string, unknown>) => withoutSecrets(fields),
    },
  };
  return pino(options, destination ?? standardOutput());
}

/**
 * The time as a member of a line, ISO 8601. Made once for each millisecond: a busy worker writes several lines in
 * one, and to spell the time takes as long as the rest of the line.
 */
function isoTime(now: () => number): () => string {
  let spelledMs = Number.NaN;
  let spelled = '';
  return () => {
    const nowMs = now();
    if (nowMs !== spelledMs) {
      spelledMs = nowMs;
      spelled = `,"time":"${new Date(nowMs).toISOString()}"`;
    }
    return spelled;
  };
}

/** Lines that are written together, in bytes: a write for each would cost as much as the line itself. */
const GATHERED_BYTES = 16_384;

/** How long a line may wait for others, in milliseconds. */
const GATHERING_MS = 100;

/** What a reader that has fallen asleep may cost in memory, in bytes; lines beyond that are left out. */
const MOST_WAITING_BYTES = 4_194_304;

/** Standard output. What waits is written when the process ends, however it ends, but for SIGKILL. */
function standardOutput(): DestinationStream {
  const output = pino.destination({
    sync: false,
    minLength: GATHERED_BYTES,
    maxWrite: 4 * GATHERED_BYTES,
    periodicFlush: GATHERING_MS,
    maxLength: MOST_WAITING_BYTES,
    contentMode: 'buffer',
  });
  return {
    write(line) {
      // Of texts it gathers one, and measures the whole of it anew with every line. Its types know of texts only.
      output.write(Buffer.from(line) as unknown as string);
    },
  };
}

/** A log for people who watch a terminal. */
export async function createPrettyLog(level: LogLevel, stream: NodeJS.WritableStream): Promise<Log> {
  const { default: pretty } = await import('pino-pretty');
  return createLog(
    level,
    pretty({
      destination: stream,
      colorize: true,
      ignore: 'pid,hostname',
      translateTime: 'SYS:HH:MM:ss',
      singleLine: true,
    }),
  );
}

/** A log that says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
