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
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      // Nothing of ours logs a secret; should a later change pass an object that holds one, its value is gone
      // before the line exists.
      log: (fields: Record<string, unknown>) => withoutSecrets(fields),
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
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
