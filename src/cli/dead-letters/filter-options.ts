import { type Command, InvalidArgumentError } from 'commander';
import { SYNC_JOB_STATUSES } from '../../domain/answer.ts';
import { DEAD_LETTER_CODES, type DeadLetterCode } from '../../domain/codes.ts';
import { type DeadLetterFilter, isStatus } from '../../domain/dead-letter-filter.ts';
import { EXIT } from '../exit-codes.ts';
import { suggest } from '../suggest.ts';

/** The options that say which letters are meant, as commander hands them over. */
export interface FilterFlags {
  readonly code?: DeadLetterCode;
  readonly connectorId?: string;
  readonly source?: string;
  readonly syncJob?: string;
  readonly status?: string;
  readonly text?: string;
  readonly olderThan?: number;
  readonly newerThan?: number;
  readonly again?: string;
}

/** Adds the options that say which letters are meant. */
export function withFilterOptions(command: Command): Command {
  return command
    .option('-c, --code <code>', 'only those with this code', parseCode)
    .option('--connector-id <id>', 'only those of this connector')
    .option('--source <name>', 'only those that this source reported')
    .option('--sync-job <id>', 'only those of this sync job')
    .option(
      '--status <status>',
      'only those whose last answer had this status (404), or whose sync job was found so (completed)',
      parseStatus,
    )
    .option('--text <text>', 'only those with this text in their error, or in their sync job’s id')
    .option('--older-than <age>', 'only those dead for longer: 90s, 15m, 2h, 3d, or a time', parseMoment)
    .option('--newer-than <age>', 'only those dead since then', parseMoment)
    .option('--again <run>', 'only those that this redrive run put back and that are dead again', parseRun);
}

/** What the options mean. */
export function filterOf(flags: FilterFlags): DeadLetterFilter {
  const filter: DeadLetterFilter = {
    code: flags.code,
    connectorId: flags.connectorId,
    source: flags.source,
    syncJobId: flags.syncJob,
    status: flags.status,
    text: flags.text,
    deadBeforeMs: flags.olderThan,
    deadFromMs: flags.newerThan,
    againAfterRun: flags.again,
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

/**
 * The letters that a change is meant for: those named, those that the options leave, or with `--all` every one.
 * Ends with a usage error where nothing says which, because a forgotten option must not mean every letter.
 */
export function meantBy(
  command: Command,
  ids: readonly string[],
  flags: FilterFlags,
  isAll: boolean,
): DeadLetterFilter {
  const filter = filterOf(flags);
  const isSome = ids.length > 0 || Object.keys(filter).length > 0;
  if (isSome === isAll) {
    const message = isAll
      ? '--all means every dead letter; give no other condition beside it'
      : 'say which dead letters are meant: ids, conditions, or --all';
    return command.error(`error: ${message}`, { exitCode: EXIT.usage, code: 'usage' });
  }
  return ids.length === 0 ? filter : { ...filter, ids };
}

function parseCode(text: string): DeadLetterCode {
  const code = DEAD_LETTER_CODES.find((each) => each === text);
  if (code !== undefined) return code;
  const near = suggest(text, DEAD_LETTER_CODES);
  throw new InvalidArgumentError(
    `${near === undefined ? '' : `Did you mean ${near}? `}The codes are ${DEAD_LETTER_CODES.join(', ')}.`,
  );
}

function parseStatus(text: string): string {
  if (isStatus(text)) return text;
  throw new InvalidArgumentError(
    `Expected an HTTP status such as 404, or one of ${SYNC_JOB_STATUSES.join(', ')}.`,
  );
}

function parseRun(text: string): string {
  if (/^[\w-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError(
    'Expected the id of a redrive run, as dead-letters redrive --list has them.',
  );
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** An age before now, or a time; in milliseconds since 1970. */
function parseMoment(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return Date.now() - Number(count) * (UNIT_MS[unit] ?? 0);
  // `Date.parse` takes almost anything for a date.
  const time = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new InvalidArgumentError(
    'Expected an age such as 90s, 15m, 2h or 3d, or a time such as 2026-11-23T09:30:00Z.',
  );
}
