import { Command } from 'commander';
import type { DeadLetterCounts, QueueAccount, QueueDepth } from '../../pipeline/ports.ts';
import { describePause, pauseFields } from '../describe-pause.ts';
import { EXIT } from '../exit-codes.ts';
import { formatCodes } from '../format-codes.ts';
import { withHelpEnd } from '../help.ts';
import { formatDuration, formatNumber, paint, print, printJson } from '../output.ts';

/** Says how the queue stands. */
export function statusCommand(): Command {
  const command = new Command('status')
    .summary('say how the queue stands')
    .description('Says how many reports wait, are being sent, wait for another attempt, or are dead letters.')
    .option('--json', 'print one JSON object')
    .action(async ({ json }: { readonly json?: true }) => {
      const { withRelay } = await import('../with-relay.ts');
      const [depth, letters, account] = await withRelay((relay) =>
        Promise.all([relay.depth(), relay.deadLetters.counts(), relay.account()]),
      );
      if (json === true) printJson(toJson(depth, letters, account));
      else for (const line of describe(depth, letters, account)) print(line);
    });
  return withHelpEnd(command, {
    examples: ['status', 'status --json | jq .waiting'],
    exitCodes: [
      [EXIT.done, 'done'],
      [EXIT.unavailable, 'Redis is not there'],
      [EXIT.configuration, 'the configuration is wrong'],
    ],
  });
}

function toJson(
  depth: QueueDepth,
  letters: DeadLetterCounts,
  account: QueueAccount,
): Readonly<Record<string, unknown>> {
  return {
    waiting: depth.waiting,
    active: depth.active,
    delayed: depth.delayed,
    dead_letters: letters,
    accepted: account.accepted,
    redriven: account.redriven,
    unaccounted: account.unaccounted,
    oldest_waiting_ms: depth.oldestWaitingMs,
    paused: depth.paused,
    ...(depth.paused ? pauseFields(depth.pause) : {}),
  };
}

function describe(depth: QueueDepth, letters: DeadLetterCounts, account: QueueAccount): string[] {
  const dead = Object.values(letters).reduce((sum, count) => sum + count, 0);
  const row = (name: string, count: number, note = ''): string =>
    `${paint('bold', name.padEnd(14))}${formatNumber(count).padStart(9)}${note === '' ? '' : `   ${note}`}`;
  return [
    row(
      'waiting',
      depth.waiting,
      depth.waiting === 0 ? '' : `the oldest for ${formatDuration(depth.oldestWaitingMs)}`,
    ),
    row('active', depth.active),
    row('delayed', depth.delayed),
    row('dead letters', dead, formatCodes(letters)),
    row('unaccounted', account.unaccounted, describeAccount(account)),
    ...(depth.paused ? describePaused(depth) : []),
  ];
}

function describeAccount({ accepted, unaccounted }: QueueAccount): string {
  if (unaccounted === 0) return `of ${formatNumber(accepted)} accepted`;
  return unaccounted < 0 ? 'others than sync-error-relay put reports into the queue' : 'gone without an end';
}

function describePaused({ pause }: QueueDepth): string[] {
  return [
    '',
    `${paint('yellow', 'Paused')} ${describePause(pause, Date.now())}`,
    'No report is sent until "sync-error-relay resume".',
  ];
}
