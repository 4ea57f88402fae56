import { once } from 'node:events';
import { Command } from 'commander';
import type { EmbeddedStack } from '../embedded-stack.ts';
import { EXIT } from '../exit-codes.ts';
import { withHelpEnd } from '../help.ts';
import { loadEnvFile } from '../load-config.ts';
import { paint, print, say } from '../output.ts';
import { onEndSignal } from '../signals.ts';

/** `dev`: the whole stack in one process, staying up. */
export function devCommand(): Command {
  const command = new Command('dev')
    .summary('run Redis, a stand-in for Elasticsearch and the worker, and stay up')
    .description(
      'Starts a Redis, a stand-in for Elasticsearch with a few sync jobs, and a worker between them; says how to ' +
        'talk to them and stays up until Ctrl-C. Nothing of it outlives the command.',
    )
    .option('--sync-jobs <file>', 'NDJSON of the sync jobs that exist (default: those of the demo)')
    .action(runCommand);
  return withHelpEnd(command, {
    examples: ['dev', 'dev --sync-jobs ./my-fleet/sync-jobs.ndjson'],
    exitCodes: [
      [EXIT.done, 'stopped by Ctrl-C or SIGTERM'],
      [EXIT.usage, 'wrong usage, or the sync jobs cannot be read'],
      [EXIT.unavailable, 'no Redis, and no way to get one'],
    ],
    note: 'A Redis that REDIS_URL names is used as it is; what is enqueued there stays there.',
  });
}

async function runCommand({ syncJobs }: { readonly syncJobs?: string }): Promise<void> {
  loadEnvFile();
  const { startEmbeddedStack } = await import('../embedded-stack.ts');
  const { createLog, createPrettyLog } = await import('../../adapters/observe/create-log.ts');
  const { LOG_LEVELS } = await import('../../adapters/observe/log-level.ts');
  const { loadSyncJobFile } = await import('../load-sync-job-file.ts');
  const { demoFile } = await import('../demo/demo-file.ts');
  const level = LOG_LEVELS.find((name) => name === process.env['LOG_LEVEL']) ?? 'info';
  const log = process.stdout.isTTY ? await createPrettyLog(level, process.stdout) : createLog(level);

  const { startTracing } = await import('../../adapters/observe/start-tracing.ts');
  await using _tracing = await startTracing(process.env, log);
  const ending = new AbortController();
  using _signals = onEndSignal(() => ending.abort());
  await using stack = await startEmbeddedStack({
    env: process.env,
    log,
    say: (line) => say(paint('dim', line, process.stderr)),
    appendOnly: true,
    settings: { HTTP_PORT: '0' },
  });
  await loadSyncJobFile(stack.standIn, syncJobs ?? demoFile('sync-jobs.ndjson'));
  for (const line of howToTalk(stack)) print(line);
  if (!ending.signal.aborted) await once(ending.signal, 'abort');
  say(paint('dim', 'Stopping.', process.stderr));
}

function howToTalk({ config, standIn, app }: EmbeddedStack): string[] {
  const running = Array.from(standIn.syncJobs()).find(({ status }) => status === 'in_progress');
  return [
    '',
    `  Redis          ${config.redis.url}`,
    `  Elasticsearch  ${standIn.url}  (a stand-in)`,
    `  Worker         ${app.address}/readyz`,
    `  Console        ${app.address}/`,
    `  HTTP           ${app.address}/docs`,
    '',
    'In another terminal:',
    '',
    `  export REDIS_URL=${config.redis.url} ELASTICSEARCH_URL=${standIn.url}`,
    ...(running === undefined
      ? []
      : [
          `  npx sync-error-relay report ${shellWord(running.id)} "TimeoutError: the source did not answer"`,
          `  curl '${standIn.url}/_connector/_sync_job/${encodeURIComponent(running.id)}?pretty'`,
        ]),
    '  npx sync-error-relay report no-such-sync-job "TimeoutError"',
    '  npx sync-error-relay dead-letters list',
    '  npx sync-error-relay status',
    '',
    'Ctrl-C stops everything.',
    '',
  ];
}

/** A word that a shell takes as it is, quoted where it has to be. */
function shellWord(word: string): string {
  return /^[\w./-]+$/.test(word) && !word.startsWith('-') ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
