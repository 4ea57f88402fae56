/**
 * Hands in a file of reports:
 *
 * 1. The file is opened, and read in pieces as the queue takes them.
 * 2. Each line that is not blank becomes a report, or is refused with its number.
 * 3. The results are counted in the order of the lines.
 * 4. At the end, at a signal or where Redis is lost, the count is told. A signal ends the reading only: what
 *    was read by then is still handed in, so that the count is exact.
 */
import { addAbortSignal } from 'node:stream';
import { describeProblems, errorReportParser } from '../domain/error-report.ts';
import { lineParser, maxLineBytes } from '../pipeline/parse-line.ts';
import { type InputLine, readLines } from '../pipeline/read-lines.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { CliFailure, endingOf, sayFailure } from './failure.ts';
import { type Input, openInput } from './open-input.ts';
import { escapeControl, formatCount, formatNumber, print, printJson, say } from './output.ts';
import { createProgress, type Progress } from './progress.ts';
import type { ReportOutput } from './report-one.ts';
import { ReportTally } from './report-tally.ts';
import { type EndSignal, onEndSignal } from './signals.ts';
import { type Enqueue, withEnqueue } from './with-relay.ts';

/** Hands in every report of an NDJSON file, or of standard input for `-`, and prints what became of them. */
export async function reportFile(path: string, output: ReportOutput): Promise<ExitCode> {
  return await withEnqueue(output.isDryRun, async (enqueue, { reports }) => {
    const input = await openInput(path);
    if (input.stream === process.stdin && process.stdin.isTTY) say('Reading reports from the terminal.');
    const tally = new ReportTally();
    const begunAt = performance.now();
    const ended = await enqueueLines(input, {
      enqueue,
      tally,
      maxBytes: maxLineBytes(reports),
      parse: lineParser(errorReportParser(reports)),
      progress: output.isJson ? SILENT : createProgress('Enqueuing', input.totalBytes, 'bytes'),
    });
    return tell(ended, tally, performance.now() - begunAt, output);
  });
}

/** With `--json` the refused lines stand in the object. */
const SILENT: Progress = { update() {}, say() {}, stop() {} };

interface Work {
  readonly enqueue: Enqueue;
  readonly tally: ReportTally;
  readonly maxBytes: number;
  readonly parse: ReturnType<typeof lineParser>;
  readonly progress: Progress;
}

type Ended =
  | { readonly kind: 'whole' }
  | { readonly kind: 'signal'; readonly signal: EndSignal }
  | { readonly kind: 'failed'; readonly error: unknown };

async function enqueueLines(
  input: Input,
  { enqueue, tally, maxBytes, parse, progress }: Work,
): Promise<Ended> {
  const interrupt = new AbortController();
  let signal: EndSignal | undefined;
  using _signals = onEndSignal((received) => {
    signal = received;
    interrupt.abort();
  });
  // Results come in the order of the lines, so that this holds the numbers of those under way and no more.
  const underWay: number[] = [];
  let bytes = 0;
  const lines = readUntil(input, interrupt.signal, maxBytes, (count) => {
    bytes += count;
  });

  try {
    const items = (async function* () {
      for await (const line of lines) {
        underWay.push(line.number);
        yield line;
      }
    })();
    for await (const result of enqueue(items, parse)) {
      const line = underWay.shift() ?? 0;
      tally.add(line, result);
      if (result.status === 'invalid') {
        progress.say(`line ${line}: ${escapeControl(describeProblems(result.problems))}`);
      }
      progress.update(bytes, formatCount(tally.lines, 'report'));
    }
    return signal === undefined ? { kind: 'whole' } : { kind: 'signal', signal };
  } catch (error) {
    return { kind: 'failed', error };
  } finally {
    progress.stop();
  }
}

/** The lines until the end of the input or the signal; a line that the signal cuts off is none. */
async function* readUntil(
  { stream }: Input,
  signal: AbortSignal,
  maxBytes: number,
  onBytes: (count: number) => void,
): AsyncGenerator<InputLine, void, undefined> {
  try {
    yield* readLines(addAbortSignal(signal, stream), maxBytes, onBytes);
  } catch (cause) {
    if (signal.aborted) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliFailure(`the input cannot be read on: ${reason}`, EXIT.someFailed, { cause });
  }
}

function tell(ended: Ended, tally: ReportTally, durationMs: number, output: ReportOutput): ExitCode {
  const failure = ended.kind === 'failed' ? endingOf(ended.error) : undefined;
  if (failure !== undefined) sayFailure(failure);
  if (output.isJson) {
    printJson({
      ...tally.toJson(durationMs),
      ...(output.isDryRun ? { dry_run: true } : {}),
      ...(ended.kind === 'signal' ? { interrupted: true } : {}),
      ...(failure === undefined ? {} : { error: failure.message }),
    });
  } else if (failure === undefined) {
    if (ended.kind === 'signal') say('Interrupted; the lines read until then:');
    print(`${tally.summary(durationMs)}${output.isDryRun ? '; dry run, nothing was sent' : ''}`);
  } else {
    const { queued, duplicate } = tally.counts;
    say(
      `Accepted before: ${formatNumber(queued)} queued, ${formatNumber(duplicate)} duplicate; a few more may ` +
        'have been. Repeating the whole file is harmless.',
    );
  }
  if (failure !== undefined) return failure.exitCode;
  if (ended.kind === 'signal') return exitCodeOf(ended.signal);
  return tally.counts.invalid > 0 ? EXIT.someFailed : EXIT.done;
}
