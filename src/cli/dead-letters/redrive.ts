import type { DeadLetters, RedriveHooks } from '../../dead-letters.ts';
import type { DeadLetterFilter } from '../../domain/dead-letter-filter.ts';
import type { RedrivePreview } from '../../pipeline/preview-redrive.ts';
import type { RedriveOptions, RedriveRun } from '../../pipeline/redrive-ports.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exit-codes.ts';
import { CliFailure } from '../failure.ts';
import {
  escapeControl,
  formatCount,
  formatDuration,
  formatNumber,
  lineWidth,
  perSecond,
  print,
  printJson,
  renderTable,
  say,
} from '../output.ts';
import { createProgress } from '../progress.ts';
import { type EndSignal, onEndSignal } from '../signals.ts';
import { withRelay } from '../with-relay.ts';

/** What is to be carried out: a new run, or one that was left. */
export type Redriving =
  | { readonly kind: 'new'; readonly filter: DeadLetterFilter; readonly options: RedriveOptions }
  | { readonly kind: 'resume'; readonly run: string; readonly by: string };

/**
 * Carries out a redrive with a bar, until it has ended. A signal lets it rest, to be resumed.
 *
 * @throws {CliFailure} where it is refused
 */
export async function redrive(redriving: Redriving, isJson: boolean): Promise<ExitCode> {
  return await withRelay(async ({ deadLetters }) => {
    const interrupt = new AbortController();
    let signal: EndSignal | undefined;
    using _signals = onEndSignal((received) => {
      signal = received;
      interrupt.abort();
    });
    const begunAt = performance.now();
    let begun: RedriveRun | undefined;
    const watch = watchWith(isJson, (run) => {
      begun = run;
    });
    try {
      const run = await begin(deadLetters, redriving, { signal: interrupt.signal, ...watch.hooks });
      watch.stop();
      if (isJson) printJson(run);
      else tell(run, run.counts.redriven - (begun?.counts.redriven ?? 0), performance.now() - begunAt);
      return signal !== undefined && run.state === 'interrupted' ? exitCodeOf(signal) : exitCodeFor(run);
    } catch (error) {
      watch.stop();
      if (begun !== undefined)
        say(`${begun.id} was left: dead-letters redrive --resume ${begun.id} goes on.`);
      throw error;
    } finally {
      watch.stop();
    }
  });
}

function begin(deadLetters: DeadLetters, redriving: Redriving, hooks: RedriveHooks): Promise<RedriveRun> {
  return refusable(() =>
    redriving.kind === 'new'
      ? deadLetters.redrive(redriving.filter, redriving.options, hooks)
      : deadLetters.resumeRedrive(redriving.run, redriving.by, hooks),
  );
}

/** The library is loaded late, so that its classes are told by name. */
async function refusable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'RedriveRefused') throw error;
    const run = 'run' in error && typeof error.run === 'string' ? error.run : undefined;
    const hint = run === undefined ? '' : `\ndead-letters redrive --cancel ${run} ends it.`;
    throw new CliFailure(`${error.message}${hint}`, EXIT.someFailed, { cause: error });
  }
}

function watchWith(
  isJson: boolean,
  onBegin: (run: RedriveRun) => void,
): { readonly hooks: Pick<RedriveHooks, 'onBegin' | 'onProgress'>; readonly stop: () => void } {
  let bar: ReturnType<typeof createProgress> | undefined;
  return {
    hooks: {
      onBegin: (run) => {
        onBegin(run);
        if (isJson) return;
        say(`${run.id} begins; from another terminal, dead-letters redrive --cancel ${run.id} ends it`);
        bar = createProgress('Redriving', Math.min(run.matched, run.limit ?? run.matched), 'letters');
      },
      onProgress: (settled) => bar?.update(settled),
    },
    stop: () => bar?.stop(),
  };
}

function exitCodeFor({ state, counts }: RedriveRun): ExitCode {
  const { redriven: _redriven, ...passed } = counts;
  const isWhole = state === 'done' && Object.values(passed).every((count) => count === 0);
  return isWhole ? EXIT.done : EXIT.someFailed;
}

const PASSED: Readonly<Record<Exclude<keyof RedriveRun['counts'], 'redriven'>, string>> = {
  on_its_way: 'on their way already',
  changed: 'changed meanwhile',
  no_report: 'no reports; edit them first',
  too_often: 'redriven too often; --max-redrives allows more',
  failed: 'not taken by the queue',
};

function tell(run: RedriveRun, redriven: number, durationMs: number): void {
  const rate = `${formatDuration(durationMs)}, ${formatNumber(perSecond(redriven, durationMs))} reports/s`;
  print(
    `${run.id} ${run.state}: ${formatNumber(run.counts.redriven)} of ${formatNumber(run.matched)} redriven (${rate})`,
  );
  for (const [verdict, words] of Object.entries(PASSED)) {
    const count = run.counts[verdict as keyof typeof PASSED];
    if (count > 0) print(`  ${formatNumber(count)} ${words}`);
  }
  if (run.reason !== null) say(escapeControl(run.reason));
  if (run.again > 0) {
    say(`${formatCount(run.again, 'report')} dead again: dead-letters list --again ${run.id}`);
  }
  if (run.state === 'interrupted' || run.state === 'stopped') {
    say(`The rest stays where it is: dead-letters redrive --resume ${run.id} goes on.`);
  }
}

/** Says what a redrive would do. */
export async function previewRedrive(
  filter: DeadLetterFilter,
  options: RedriveOptions,
  isJson: boolean,
): Promise<void> {
  const preview = await withRelay(({ deadLetters }) => deadLetters.previewRedrive(filter, options));
  if (isJson) printJson({ ...preview, dry_run: true });
  else for (const line of describePreview(preview)) print(line);
}

function describePreview({ would_redrive: go, would_pass: pass }: RedrivePreview): string[] {
  const total = Object.values(go).reduce((sum, count) => sum + count, 0);
  return [
    `${formatCount(total, 'dead letter')} would be redriven (dry run: nothing was changed)`,
    ...Object.entries(go).map(([code, count]) => `  ${code} ${formatNumber(count)}`),
    ...Object.entries(pass).map(
      ([verdict, count]) =>
        `  passed over: ${formatNumber(count)} ${PASSED[verdict as keyof typeof PASSED] ?? verdict}`,
    ),
  ];
}

/** Lists the last runs. */
export async function listRuns(isJson: boolean): Promise<void> {
  const runs = await withRelay(({ deadLetters }) => deadLetters.redriveRuns());
  if (isJson) {
    printJson({ runs });
    return;
  }
  if (runs.length === 0) {
    print('There were no redrives.');
    return;
  }
  const rows = runs.map((run) => [
    run.id,
    run.state,
    run.started_at.slice(0, 19).replace('T', ' '),
    run.by,
    formatNumber(run.counts.redriven),
    formatNumber(run.matched),
    formatNumber(run.again),
    run.reason ?? '',
  ]);
  const columns = [
    { header: 'RUN' },
    { header: 'STATE' },
    { header: 'STARTED AT (UTC)' },
    { header: 'BY', minWidth: 6 },
    { header: 'REDRIVEN', align: 'right' },
    { header: 'OF', align: 'right' },
    { header: 'DEAD AGAIN', align: 'right' },
    { header: 'REASON', minWidth: 10 },
  ] as const;
  for (const line of renderTable(columns, rows, lineWidth())) print(line);
}

/** Makes a run end, wherever it is carried out. */
export async function cancelRun(id: string, by: string, isJson: boolean): Promise<ExitCode> {
  const result = await withRelay(({ deadLetters }) => deadLetters.cancelRedrive(id, by));
  if (isJson) printJson({ run: id, result });
  else if (result === 'cancelled') print(`${escapeControl(id)} cancelled`);
  else
    say(
      result === 'over'
        ? `${escapeControl(id)} is over already`
        : `there is no redrive run ${escapeControl(id)}`,
    );
  return result === 'cancelled' ? EXIT.done : EXIT.someFailed;
}
