import { Command } from 'commander';
import type { DeadLetter } from '../../domain/dead-letter.ts';
import type { DemoFiles, DemoProgress, DemoRun } from '../demo/run-demo.ts';
import type { EmbeddedStack } from '../embedded-stack.ts';
import { EXIT } from '../exit-codes.ts';
import { CliFailure } from '../failure.ts';
import { withHelpEnd } from '../help.ts';
import { loadEnvFile } from '../load-config.ts';
import {
  cut,
  escapeControl,
  formatCount,
  formatDuration,
  formatNumber,
  lineWidth,
  paint,
  print,
  printJson,
  renderTable,
  say,
} from '../output.ts';
import { createProgress, type Progress } from '../progress.ts';

interface DemoOptions {
  readonly data?: string;
  readonly json?: true;
}

/** `demo`: a fleet's failures through the whole relay, checked against what they demand. */
export function demoCommand(): Command {
  const command = new Command('demo')
    .summary('send a fleet morning through the whole relay and check every outcome')
    .description(
      'Starts a Redis, a stand-in for Elasticsearch and a worker, sends a fleet’s failures through them, and ' +
        'checks that every report ended as it should and every sync job holds what it should.',
    )
    .option(
      '--data <dir>',
      'folder with sync-jobs.ndjson and failures.ndjson (default: a small fleet morning)',
    )
    .option('--json', 'print the figures as one JSON object')
    .action(runCommand);
  return withHelpEnd(command, {
    examples: ['demo', 'demo --data ./my-fleet', 'demo --json'],
    exitCodes: [
      [EXIT.done, 'every report is accounted for and every sync job is right'],
      [EXIT.someFailed, 'some are not'],
      [EXIT.usage, 'wrong usage, or the data cannot be read'],
      [EXIT.unavailable, 'no Redis, and no way to get one'],
    ],
    note: 'A Redis that REDIS_URL names is used under a prefix of the demo’s own, which is removed at the end.',
  });
}

async function runCommand({ data, json }: DemoOptions): Promise<void> {
  loadEnvFile();
  const files = await dataFiles(data);
  const { Outcomes, runDemo } = await import('../demo/run-demo.ts');
  const { startDemoStack } = await import('../demo/demo-stack.ts');
  const outcomes = new Outcomes();
  const note = (line: string): void => say(paint('dim', line, process.stderr));

  await using stack = await startDemoStack(process.env, outcomes.observe, note);
  const run = await runWithBar(json !== true, (progress) => runDemo(stack, outcomes, files, progress));
  if (json === true) printJson(run.figures);
  else await printRun(run, stack, files);
  process.exitCode = run.figures.unaccounted === 0 && run.figures.wrong === 0 ? EXIT.done : EXIT.someFailed;
}

/** Shows a bar as soon as it is known how many reports there are to settle. */
async function runWithBar(
  shown: boolean,
  work: (progress: DemoProgress) => Promise<DemoRun>,
): Promise<DemoRun> {
  let bar: Progress | undefined;
  const update = (settled: number, queued: number): void => {
    if (shown && queued > 0) bar ??= createProgress('Settling', queued, 'reports');
    bar?.update(settled);
  };
  try {
    return await work({ update });
  } finally {
    bar?.stop();
  }
}

async function dataFiles(folder: string | undefined): Promise<DemoFiles> {
  const { access } = await import('node:fs/promises');
  const { join, resolve } = await import('node:path');
  const { fileURLToPath } = await import('node:url');
  const base =
    folder === undefined ? fileURLToPath(new URL('../../../demo', import.meta.url)) : resolve(folder);
  const files = { syncJobs: join(base, 'sync-jobs.ndjson'), failures: join(base, 'failures.ndjson') };
  for (const path of Object.values(files)) {
    await access(path).catch((cause: unknown) => {
      throw new CliFailure(`--data: expected a file ${path}, got ${reasonOf(cause)}`, EXIT.usage, { cause });
    });
  }
  return files;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}

async function printRun(run: DemoRun, { relay }: EmbeddedStack, files: DemoFiles): Promise<void> {
  const { figures } = run;
  print('');
  for (const line of renderTable(
    [{ header: 'outcome' }, { header: 'reports', align: 'right' }],
    rowsOf(run),
    lineWidth(),
  )) {
    print(`  ${line}`);
  }
  print('');
  print(
    `  ${formatCount(figures.lines, 'line')} of ${escapeControl(files.failures)} in ${formatDuration(figures.duration_ms)} ` +
      `(${formatNumber(figures.reports_per_second)} reports/s)`,
  );
  print(`  ${verdictOf(run)}`);
  const [letter] = (await relay.deadLetters.list({ offset: 0, limit: 1 })).letters;
  if (letter !== undefined) printLetter(letter);
}

function rowsOf({ figures }: DemoRun): string[][] {
  const letters = Object.entries(figures.dead_letters).sort(([, a], [, b]) => b - a);
  const total = letters.reduce((sum, [, count]) => sum + count, 0);
  const rows: (readonly [string, number])[] = [
    ['applied', figures.applied],
    ['already applied', figures.already_applied],
    ['duplicate', figures.duplicate],
    ['invalid', figures.invalid],
    ['dead letters', total],
    ...letters.map(([code, count]) => [`  ${code}`, count] as const),
    ['unaccounted', figures.unaccounted],
  ];
  return rows.map(([name, count]) => [name, formatNumber(count)]);
}

function verdictOf({ figures, syncJobs, wrong }: DemoRun): string {
  if (wrong.length === 0 && figures.unaccounted === 0) {
    return paint('green', `All ${formatCount(syncJobs, 'sync job')} hold exactly what the reports demand.`);
  }
  const examples = wrong.slice(0, 5).map(({ id, expected, found }) => {
    return `\n    ${escapeControl(id)}: expected ${expected?.status ?? 'nothing'}, found ${found?.status ?? 'nothing'}`;
  });
  return paint(
    'red',
    `${formatCount(wrong.length, 'sync job')} wrong, ${formatCount(figures.unaccounted, 'report')} unaccounted for.`,
  ).concat(...examples);
}

function printLetter(letter: DeadLetter): void {
  print('');
  print('  One of the dead letters:');
  const rows: [string, string][] = [
    ['id', letter.id],
    ['code', letter.code],
    ['reason', letter.reason],
    ['sync job', letter.report?.connector_sync_job_id ?? '(none)'],
    ['error', letter.report?.error ?? letter.payload ?? ''],
  ];
  const width = Math.min(lineWidth(), 110) - 14;
  for (const [name, value] of rows) print(`    ${name.padEnd(9)} ${cut(escapeControl(value), width)}`);
  print('');
}
