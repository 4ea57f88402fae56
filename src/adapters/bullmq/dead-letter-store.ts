import type { Redis } from 'ioredis';
import { DEAD_LETTER_CODES, type DeadLetterCode } from '../../domain/codes.ts';
import type { DeadLetter } from '../../domain/dead-letter.ts';
import { isToldByTags, tagsOfFilter } from '../../domain/dead-letter-filter.ts';
import type {
  AuditEntry,
  DeadLetterStore,
  LetterTotals,
  LetterVersion,
  Removal,
} from '../../pipeline/dead-letter-ports.ts';
import type { DeadLetterCounts, DeadLetterPage, DeadLetterQuery } from '../../pipeline/ports.ts';
import { decodeCursor, encodeCursor } from './dead-letter-cursor.ts';
import { decodeLetter, encodeLetter, letterKeys } from './dead-letter-keys.ts';
import { ADD_LETTER, REMOVE_LETTERS, REPLACE_LETTER } from './dead-letter-scripts.ts';
import { letterSearch } from './dead-letter-search.ts';
import type { QueueNames } from './names.ts';
import { runScript } from './run-script.ts';

/** About so many entries of the audit log are kept. */
export const MAX_AUDIT_ENTRIES = 10_000;

/** Calls that one page may take where it has to look for letters, so that it is there in a moment. */
const CALLS_A_PAGE = 8;

/** Opens the dead letters over a connection that its owner closes. */
export function openDeadLetters(redis: Redis, names: QueueNames): DeadLetterStore {
  const keys = letterKeys(names);
  const search = letterSearch(redis, keys);
  const { find, count, read } = search;
  return { add, list, get, counts, find, count, read, remove, replace, restore, audit, audited, totals };

  async function add(letter: DeadLetter): Promise<'added' | 'present'> {
    return (await put(letter, `${keys.root}:none`)) === 1 ? 'added' : 'present';
  }

  async function restore(letter: DeadLetter): Promise<'added' | 'present' | 'on_its_way'> {
    const answer = await put(letter, `${keys.jobs}${letter.id.slice('d-'.length)}`);
    if (answer < 0) return 'on_its_way';
    return answer === 1 ? 'added' : 'present';
  }

  async function put(letter: DeadLetter, unlessKey: string): Promise<number> {
    const { value, atMs, tags } = encodeLetter(letter);
    const answer = await runScript(
      redis,
      ADD_LETTER,
      [keys.root, unlessKey],
      [letter.id, value, atMs, ...tags],
    );
    return Number(answer);
  }

  async function get(id: string): Promise<DeadLetter | undefined> {
    const value = await redis.get(keys.letter(id));
    return value === null ? undefined : decodeLetter(id, value).letter;
  }

  async function counts(): Promise<DeadLetterCounts> {
    const sizes = await Promise.all(DEAD_LETTER_CODES.map((code) => redis.zcard(keys.index(`code:${code}`))));
    const counted = DEAD_LETTER_CODES.map((code, index) => [code, sizes[index] ?? 0] as const);
    return Object.fromEntries(counted.filter(([, size]) => size > 0));
  }

  async function list(query: DeadLetterQuery): Promise<DeadLetterPage> {
    const { offset = 0, limit, cursor, ...filter } = query;
    const start = cursor === undefined ? { skip: offset, seen: 0 } : decodeCursor(cursor);
    const isIndexed = isToldByTags(filter) && tagsOfFilter(filter).length <= 1;
    if (!isIndexed) return searchPage({ ...query, limit }, start);

    const walked = await search.walk(filter, { order: 'newest', ...start, wanted: Math.max(limit, 0) });
    const letters = await read(walked.found.map(({ id }) => id));
    // One that has left since it was found is neither shown nor counted.
    const total = walked.inSpan - (walked.found.length - letters.length);
    if (walked.isEnd || walked.last === undefined) return { total, letters: letters.map(letterIn) };
    return {
      total,
      letters: letters.map(letterIn),
      next: encodeCursor({ after: walked.last, skip: 0, seen: 0 }),
    };
  }

  /** A page that has to be looked for: it ends when it is full, or after so many calls. */
  async function searchPage(
    { limit, offset: _offset, cursor: _cursor, ...filter }: DeadLetterQuery,
    start: ReturnType<typeof decodeCursor>,
  ): Promise<DeadLetterPage> {
    let { after, skip, seen } = start;
    const ids: string[] = [];
    let isEnd = false;
    for (let call = 0; call < CALLS_A_PAGE && ids.length < limit && !isEnd; call += 1) {
      const page = await find(filter, { order: 'newest', after, limit: skip + limit - ids.length });
      seen += page.found.length;
      ids.push(...page.found.slice(skip).map(({ id }) => id));
      skip = Math.max(0, skip - page.found.length);
      after = page.after;
      isEnd = after === undefined;
    }
    const letters = (await read(ids)).map(letterIn);
    const total = seen - (ids.length - letters.length);
    if (isEnd) return { total, letters };
    return { total, isAtLeast: true, letters, next: encodeCursor({ after, skip, seen }) };
  }

  async function remove(
    letters: readonly LetterVersion[],
    why: Removal,
    keepAtLeast = 0,
  ): Promise<readonly string[]> {
    if (letters.length === 0) return [];
    const versions = letters.flatMap(({ id, version }) => [id, version]);
    return (await runScript(redis, REMOVE_LETTERS, [keys.root], [why, keepAtLeast, ...versions])) as string[];
  }

  async function replace(
    seen: LetterVersion,
    letter: DeadLetter,
    entry: AuditEntry,
  ): Promise<'replaced' | 'changed'> {
    const { value, atMs, tags } = encodeLetter(letter);
    const args = [seen.id, seen.version, JSON.stringify(entry), MAX_AUDIT_ENTRIES, value, atMs, ...tags];
    return (await runScript(redis, REPLACE_LETTER, [keys.root], args)) === 1 ? 'replaced' : 'changed';
  }

  async function audit(entry: AuditEntry): Promise<void> {
    const text = JSON.stringify(entry);
    await redis.xadd(`${keys.root}:audit`, 'MAXLEN', '~', MAX_AUDIT_ENTRIES, '*', 'entry', text);
  }

  async function audited(limit: number): Promise<readonly AuditEntry[]> {
    const entries = await redis.xrevrange(`${keys.root}:audit`, '+', '-', 'COUNT', limit);
    return entries.map(([, fields]) => JSON.parse(fields[1] ?? '{}') as AuditEntry);
  }

  async function totals(): Promise<LetterTotals> {
    const counted = await redis.hgetall(`${keys.root}:totals`);
    const of = (way: string): Readonly<Partial<Record<DeadLetterCode, number>>> =>
      Object.fromEntries(
        DEAD_LETTER_CODES.flatMap((code) => {
          const size = Number(counted[`${way}:${code}`] ?? 0);
          return size === 0 ? [] : [[code, size]];
        }),
      );
    return { redriven: of('redriven'), purged: of('purged'), expired: of('expired') };
  }
}

const letterIn = ({ letter }: { readonly letter: DeadLetter }): DeadLetter => letter;
