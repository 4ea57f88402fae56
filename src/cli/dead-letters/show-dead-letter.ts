import { Buffer } from 'node:buffer';
import type { AnswerSummary } from '../../domain/answer.ts';
import { DEAD_LETTER_ADVICE, type DeadLetter, deadLetterId, type Redrive } from '../../domain/dead-letter.ts';
import { describeProblems } from '../../domain/error-report.ts';
import type { AttemptRecord } from '../../domain/job.ts';
import { EXIT } from '../exit-codes.ts';
import { CliFailure } from '../failure.ts';
import {
  escapeControl,
  escapeLines,
  formatBytes,
  formatDuration,
  paint,
  print,
  printJson,
} from '../output.ts';
import { withRelay } from '../with-relay.ts';
import type { LiveSyncJob } from './read-live.ts';

/** How a letter is shown. */
export interface ShowOutput {
  /** Whether Elasticsearch is asked what it holds now. */
  readonly isLive: boolean;
  readonly isJson: boolean;
}

/**
 * Prints one dead letter in full.
 *
 * @param id the letter's, or its job's, as logs have it
 * @throws {CliFailure} where there is none
 */
export async function showDeadLetter(id: string, { isLive, isJson }: ShowOutput): Promise<void> {
  const letterId = id.startsWith('r-') ? deadLetterId(id) : id;
  const { letter, live } = await withRelay(async ({ deadLetters }, config) => {
    const found = await deadLetters.get(letterId);
    const syncJobId = found?.report?.connector_sync_job_id;
    if (!isLive || syncJobId === undefined) return { letter: found, live: undefined };
    const { readLive } = await import('./read-live.ts');
    return { letter: found, live: await readLive(config.elasticsearch, syncJobId) };
  });
  if (letter === undefined) throw new CliFailure(`there is no dead letter ${id}`, EXIT.someFailed);
  if (isJson) printJson(live === undefined ? letter : { ...letter, live });
  else for (const line of describe(letter, live)) print(line);
}

function describe(letter: DeadLetter, live: LiveSyncJob | undefined): string[] {
  const { report } = letter;
  const fields: readonly (readonly [name: string, value: string | undefined])[] = [
    ['code', `${paint('red', letter.code)}  ${escapeControl(letter.reason)}`],
    ['to do', DEAD_LETTER_ADVICE[letter.code]],
    ['sync job', safe(report?.connector_sync_job_id)],
    ['connector', safe(report?.connector_id)],
    ['source', safe(report?.source)],
    ['reported at', safe(report?.reported_at)],
    ['key', safe(report?.idempotency_key)],
    ['accepted at', safe(letter.enqueued_at)],
    ['dead at', safe(`${letter.dead_at}, by ${letter.worker}`)],
    ['last answer', safe(letter.answer && describeAnswer(letter.answer))],
    ['found', safe(letter.found && [letter.found.status, letter.found.error].filter(Boolean).join(': '))],
    ['now', safe(live && describeLive(live))],
    ['problems', safe(letter.problems && describeProblems(letter.problems))],
  ];
  return [
    paint('bold', escapeControl(letter.id)),
    ...fields.flatMap(([name, value]) => (value === undefined ? [] : [row(name, value)])),
    row('attempts', String(letter.attempts_made)),
    ...letter.attempts.map((attempt) => `  ${escapeControl(describeAttempt(attempt))}`),
    ...letter.redrives.flatMap(describeRedrive),
    ...(letter.edits ?? []).map(({ at, by, fields: changed }) =>
      row('edited', escapeControl(`${at} by ${by}: ${changed.join(', ')}`)),
    ),
    ...describeText(report === null ? 'payload' : 'error', report?.error ?? letter.payload ?? ''),
    ...describeOriginal(letter),
  ];
}

/** An earlier life: how it ended, and the attempts that were made in it. */
function describeRedrive({ at, by, run, code, attempts, attempts_made: made }: Redrive): string[] {
  const before = made === 1 ? '1 attempt' : `${made} attempts`;
  return [
    row('redriven', escapeControl(`${at} by ${by} (${run}), was ${code} after ${before}`)),
    ...attempts.map((attempt) => `  ${escapeControl(describeAttempt(attempt))}`),
  ];
}

/** What was accepted, as far as it was edited. */
function describeOriginal({ original, report }: DeadLetter): string[] {
  if (original === undefined) return [];
  if (original.report === null) return describeText('payload before the edit', original.payload ?? '');
  const now: Readonly<Record<string, unknown>> = { ...report };
  return Object.entries(original.report).flatMap(([field, value]) =>
    value === now[field] ? [] : describeText(`${field} before the edit`, String(value)),
  );
}

function describeText(name: string, text: string): string[] {
  return [
    '',
    paint('bold', `${name} (${formatBytes(Buffer.byteLength(text))})`),
    ...escapeLines(text).map((line) => `  ${line}`.trimEnd()),
  ];
}

function describeLive(live: LiveSyncJob): string {
  if (live.kind === 'found') return [live.status, live.error].filter(Boolean).join(': ');
  const answer = live.answer === undefined ? '' : ` (${describeAnswer(live.answer)})`;
  return live.kind === 'missing' ? 'no sync job has this id' : `Elasticsearch does not tell${answer}`;
}

function safe(value: string | undefined): string | undefined {
  return value === undefined ? undefined : escapeControl(value);
}

function row(name: string, value: string): string {
  return `${paint('bold', name.padEnd(13))}${value}`;
}

function describeAttempt(attempt: AttemptRecord): string {
  const took = formatDuration(attempt.duration_ms);
  return `${attempt.attempt}  ${attempt.at}  ${attempt.code}  ${describeAnswer(attempt)}  (${took}, ${attempt.worker})`;
}

function describeAnswer({ status, type, reason }: AnswerSummary): string {
  const head = [status, type].filter((part) => part !== undefined).join(' ');
  return [head, reason].filter((part) => part !== undefined && part !== '').join(': ');
}
