import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { toSafeJson } from './escape-control.ts';

export { escapeControl, escapeLines, toSafeJson } from './escape-control.ts';
export { type Column, cut, displayWidth, renderTable } from './table.ts';

/** Writes a line of data to standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes one JSON value, on one line, to standard output. */
export function printJson(value: unknown): void {
  print(toSafeJson(value));
}

/** Writes a line for the person at the terminal to standard error. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

type Format = Parameters<typeof styleText>[0];

/** The text in a colour, where the stream is a terminal that shows colours; NO_COLOR and FORCE_COLOR count. */
export function paint(format: Format, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(format, text, { stream });
}

/** Characters a line may take: the terminal's width, or no end where the output goes elsewhere. */
export function lineWidth(stream: Partial<Pick<WriteStream, 'isTTY' | 'columns'>> = process.stdout): number {
  // A terminal that hides its width says 0.
  return stream.isTTY === true ? stream.columns || 80 : Number.POSITIVE_INFINITY;
}

/** Made at its first use: it costs more than printing a whole help page. */
let numberFormat: Intl.NumberFormat | undefined;

/** `1,916` */
export function formatNumber(value: number): string {
  numberFormat ??= new Intl.NumberFormat('en-US');
  return numberFormat.format(value);
}

/** `1 report`, `1,916 reports` */
export function formatCount(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `85 ms`, `1.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h` */
export function formatDuration(durationMs: number): string {
  if (Math.round(durationMs) < SECOND_MS) return `${Math.round(durationMs)} ms`;
  // Rounded before it is split, so that 59.97 seconds are a minute and not 60.0 s.
  const tenths = Math.round(durationMs / 100) * 100;
  if (tenths < MINUTE_MS) return `${(tenths / SECOND_MS).toFixed(1)} s`;
  const whole = Math.round(durationMs / SECOND_MS) * SECOND_MS;
  if (whole < HOUR_MS) return twoUnits(whole, MINUTE_MS, 'min', SECOND_MS, 's');
  if (whole < DAY_MS) return twoUnits(whole, HOUR_MS, 'h', MINUTE_MS, 'min');
  return twoUnits(whole, DAY_MS, 'd', HOUR_MS, 'h');
}

function twoUnits(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const rest = Math.floor((ms % largeMs) / smallMs);
  return `${formatNumber(Math.floor(ms / largeMs))} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

/** How many a second, rounded, of what took so long; whole numbers, at least 0. */
export function perSecond(count: number, durationMs: number): number {
  return Math.round((count * SECOND_MS) / Math.max(durationMs, 1));
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `512 bytes`, `1.4 MiB` */
export function formatBytes(bytes: number): string {
  const step = bytes < 1_024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1_024 ** step;
  return `${step === 0 ? formatNumber(value) : value.toFixed(1)} ${UNITS[step]}`;
}
