import { Buffer } from 'node:buffer';
import type { AnswerSummary } from '../../domain/answer.ts';
import { type DeadLetter, deadLetterId } from '../../domain/dead-letter.ts';
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

/**
 * Prints one dead letter in full.
 *
 * @param id the letter's, or its job's, as logs have it
 * @throws {CliFailure} where there is none
 */
export async function showDeadLetter(id: string, isJson: boolean): Promise<void> {
  const letterId = id.startsWith('r-') ? deadLetterId(id) : id;
  const letter = await withRelay(({ deadLetters }) => deadLetters.get(letterId));
  if (letter === undefined) throw new CliFailure(`there is no dead letter ${id}`, EXIT.someFailed);
  if (isJson) printJson(letter);
  else for (const line of describe(letter)) print(line);
}

function describe(letter: DeadLetter): string[] {
  const { report } = letter;
  const fields: readonly (readonly [name: string, value: string | undefined])[] = [
    ['code', `${paint('red', letter.code)}  ${escapeControl(letter.reason)}`],
    ['sync job', safe(report?.connector_sync_job_id)],
    ['connector', safe(report?.connector_id)],
    ['source', safe(report?.source)],
    ['reported at', safe(report?.reported_at)],
    ['key', safe(report?.idempotency_key)],
    ['accepted at', safe(letter.enqueued_at)],
    ['dead at', safe(`${letter.dead_at}, by ${letter.worker}`)],
    ['last answer', safe(letter.answer && describeAnswer(letter.answer))],
    ['found', safe(letter.found && [letter.found.status, letter.found.error].filter(Boolean).join(': '))],
    ['problems', safe(letter.problems && describeProblems(letter.problems))],
  ];
  const text = report?.error ?? letter.payload ?? '';
  return [
    paint('bold', escapeControl(letter.id)),
    ...fields.flatMap(([name, value]) => (value === undefined ? [] : [row(name, value)])),
    row('attempts', String(letter.attempts_made)),
    ...letter.attempts.map((attempt) => `  ${escapeControl(describeAttempt(attempt))}`),
    ...letter.redrives.map(({ at, by, code }) =>
      row('redriven', escapeControl(`${at} by ${by}, was ${code}`)),
    ),
    '',
    paint('bold', `${report === null ? 'payload' : 'error'} (${formatBytes(Buffer.byteLength(text))})`),
    ...escapeLines(text).map((line) => `  ${line}`.trimEnd()),
  ];
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
