import { createRequire } from 'node:module';
import { formatBytes, formatDuration, formatNumber, perSecond } from './output.ts';

/** A bar on standard error that says how far a long command is. */
export interface Progress {
  /**
   * Says how much is done, in all and not since the last time.
   *
   * @param note what else to show, for instance a count in another unit
   */
  update(done: number, note?: string): void;
  /** Writes a line to standard error without tearing the bar. */
  say(line: string): void;
  /** Takes the bar away; may be called twice. */
  stop(): void;
}

/** The least of a terminal that a bar needs; standard error where absent. */
export type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

/**
 * Starts a progress bar; where standard error is not a terminal there is none, and the lines are still
 * written.
 *
 * @param label what is being done, a word or two
 * @param total how much there is to do; undefined where nobody knows yet, then there is a count and no bar
 * @param unit what is counted, in the plural, `reports` for instance; `bytes` are shown as KiB, MiB and so on
 */
export function createProgress(
  label: string,
  total: number | undefined,
  unit: string,
  stream: ProgressStream = process.stderr,
): Progress {
  const writeLine = (line: string): void => {
    stream.write(`${line}\n`);
  };
  if (stream.isTTY !== true || process.env['TERM'] === 'dumb') {
    return { update() {}, say: writeLine, stop() {} };
  }
  // Loaded here and not at the top, so that commands without a bar do not wait for it.
  const { SingleBar } = createRequire(import.meta.url)('cli-progress') as typeof import('cli-progress');
  const bar = new SingleBar({
    stream,
    fps: 10,
    clearOnComplete: true,
    // Cuts the line; the alternative switches the terminal's own wrapping off, and a killed process leaves it so.
    linewrap: true,
    forceRedraw: true,
    gracefulExit: false,
    format: (_options, { value, startTime, maxWidth }, payload: { readonly note?: string }) =>
      // The last column stays free: some terminals wrap as soon as it is written.
      renderBar({ label, done: value, total, unit, elapsedMs: Date.now() - startTime, ...payload }).slice(
        0,
        maxWidth - 1,
      ),
  });
  bar.start(total ?? 0, 0, {});
  return {
    update: (done, note) => bar.update(done, note === undefined ? {} : { note }),
    say(line) {
      // The bar returns at its end to where the cursor was saved, which has moved down by this line.
      stream.write(`\r\x1b[K${line}\n\x1b7`);
    },
    stop: () => bar.stop(),
  };
}

/** What a bar shows. */
export interface BarState {
  readonly label: string;
  readonly done: number;
  readonly total: number | undefined;
  readonly unit: string;
  readonly elapsedMs: number;
  readonly note?: string;
}

const BAR_WIDTH = 24;

/** The line of a bar: `Enqueuing ━━━━━━────── 25 %  500/2,000 reports  1,600/s  0.9 s left`. */
export function renderBar({ label, done, total, unit, elapsedMs, note }: BarState): string {
  const isBytes = unit === 'bytes';
  const amount = isBytes ? formatBytes : formatNumber;
  const rate = perSecond(done, elapsedMs);
  const parts = [
    `${amount(done)}${total === undefined ? '' : `/${amount(total)}`}${isBytes ? '' : ` ${unit}`}`,
    ...(note === undefined ? [] : [note]),
    `${amount(rate)}/s`,
  ];
  if (total === undefined) return `${label}  ${[...parts, formatDuration(elapsedMs)].join('  ')}`;
  const share = total === 0 ? 1 : Math.min(done / total, 1);
  const full = Math.round(share * BAR_WIDTH);
  const left = rate === 0 ? [] : [`${formatDuration(((total - done) / rate) * 1_000)} left`];
  return [
    `${label} ${'━'.repeat(full)}${'─'.repeat(BAR_WIDTH - full)} ${Math.floor(share * 100)} %`,
    ...parts,
    ...(share < 1 ? left : []),
  ].join('  ');
}
