import type { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { SYNC_JOB_STATUSES } from './answer.ts';
import type { DeadLetterCode } from './codes.ts';
import type { DeadLetter } from './dead-letter.ts';

/** Which dead letters are meant. A letter has to match all that is given; an empty filter means every one. */
export interface DeadLetterFilter {
  /** Ids of letters, or of their jobs as logs have them. */
  readonly ids?: readonly string[] | undefined;
  readonly code?: DeadLetterCode | undefined;
  readonly connectorId?: string | undefined;
  readonly source?: string | undefined;
  readonly syncJobId?: string | undefined;
  /** HTTP status of the last answer, `404` for instance, or what the sync job was found to be, `completed`. */
  readonly status?: string | undefined;
  /**
   * Part of the error, of the payload where it was no report, or of the sync job's id; ASCII letters match in
   * either case.
   */
  readonly text?: string | undefined;
  /** Dead since then or later, in milliseconds since 1970. */
  readonly deadFromMs?: number | undefined;
  /** Dead before then, in milliseconds since 1970. */
  readonly deadBeforeMs?: number | undefined;
  /** Redriven by this run, and dead again. */
  readonly againAfterRun?: string | undefined;
}

/**
 * What a letter is found by, one short word each: the store keeps an index for each. They hold nothing but
 * letters, digits, `_`, `-` and one `:`, whatever the report holds.
 */
export function tagsOf(letter: DeadLetter): readonly string[] {
  const { report, answer, found } = letter;
  const last = letter.redrives.at(-1);
  return [
    `code:${letter.code}`,
    ...(report?.connector_id === undefined ? [] : [`connector:${digest(report.connector_id)}`]),
    ...(report?.source === undefined ? [] : [`source:${digest(report.source)}`]),
    ...(report === null ? [] : [syncJobTag(report.connector_sync_job_id)]),
    ...(answer?.status === undefined ? [] : [`status:${answer.status}`]),
    ...(found === undefined ? [] : [`status:${found.status}`]),
    ...(last === undefined ? [] : [`again:${last.run}`]),
    ...(last?.code === letter.code ? [sameCodeTag(last.run)] : []),
  ];
}

/** The tag of letters that a run has put back and that are dead again for the same reason. */
export const sameCodeTag = (run: string): string => `same:${run}`;

/** The tags that every letter the filter means has; some others may have them too, see `matchesFilter`. */
export function tagsOfFilter(filter: DeadLetterFilter): readonly string[] {
  const { code, connectorId, source, syncJobId, status, againAfterRun } = filter;
  return [
    ...(code === undefined ? [] : [`code:${code}`]),
    ...(connectorId === undefined ? [] : [`connector:${digest(connectorId)}`]),
    ...(source === undefined ? [] : [`source:${digest(source)}`]),
    ...(syncJobId === undefined ? [] : [syncJobTag(syncJobId)]),
    ...(status === undefined ? [] : [`status:${status}`]),
    ...(againAfterRun === undefined ? [] : [`again:${againAfterRun}`]),
  ];
}

/** Whether the tags and the time tell all there is to tell, so that no letter has to be read to be counted. */
export function isToldByTags({ ids, text, syncJobId }: DeadLetterFilter): boolean {
  return ids === undefined && text === undefined && syncJobId === undefined;
}

/** Whether the filter names a status that there is. */
export function isStatus(text: string): boolean {
  return /^[1-5]\d\d$/.test(text) || SYNC_JOB_STATUSES.some((status) => status === text);
}

/** Whether the filter means this letter. */
export function matchesFilter(letter: DeadLetter, filter: DeadLetterFilter): boolean {
  const tags = tagsOf(letter);
  const { text, syncJobId, ids, deadFromMs = Number.NEGATIVE_INFINITY } = filter;
  const deadAtMs = Date.parse(letter.dead_at);
  return (
    tagsOfFilter(filter).every((tag) => tags.includes(tag)) &&
    (syncJobId === undefined || letter.report?.connector_sync_job_id === syncJobId) &&
    (ids === undefined || ids.some((id) => id === letter.id || `d-${id}` === letter.id)) &&
    deadAtMs >= deadFromMs &&
    deadAtMs < (filter.deadBeforeMs ?? Number.POSITIVE_INFINITY) &&
    (text === undefined || holdsText(letter, lowerAscii(text)))
  );
}

function holdsText({ report, payload }: DeadLetter, lowered: string): boolean {
  return [report?.error, report?.connector_sync_job_id, payload].some(
    (text) => text !== undefined && lowerAscii(text).includes(lowered),
  );
}

/** ASCII alone, because the store looks in bytes. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** 96 bits: no two names meet by chance, and an index's key stays short and harmless. */
function digest(name: string): string {
  return hash(name).subarray(0, 12).toString('base64url');
}

/**
 * One of 65,536 drawers. Almost every sync job has a single letter, and an index of its own for each would
 * take more memory than the letter; a drawer holds few enough to be looked through.
 */
function syncJobTag(syncJobId: string): string {
  return `sync-job:${hash(syncJobId).toString('hex', 0, 2)}`;
}

/** JSON keeps lone surrogates apart, which UTF-8 would not. */
function hash(text: string): Buffer {
  return createHash('sha256').update(JSON.stringify(text)).digest();
}
