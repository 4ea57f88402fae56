import type { Redis } from 'ioredis';
import {
  type DeadLetterFilter,
  isToldByTags,
  lowerAscii,
  matchesFilter,
  tagsOfFilter,
} from '../../domain/dead-letter-filter.ts';
import {
  type FindOptions,
  type FoundLetters,
  LETTERS_A_CALL,
  type LetterPosition,
  type LetterVersion,
  type StoredLetter,
} from '../../pipeline/dead-letter-ports.ts';
import { decodeLetter, type LetterKeys, versionsOf } from './dead-letter-keys.ts';
import { FIND_LETTERS } from './dead-letter-scripts.ts';
import { runScript } from './run-script.ts';

/** Letters that a search looks at in one call: about 2 ms of Redis, with three conditions. */
const LOOKED_AT_A_CALL = 1_000;

/** Bytes that a search for a text looks through in one call, a letter that is longer counting whole. */
const BYTES_A_CALL = 262_144;

/** Bytes that are read in one call, so that Redis is never held up by a page of long errors. */
const READ_BYTES_A_CALL = 2_097_152;

const COUNT_ONLY = -1;

/** One walk along an index. */
interface Walk {
  readonly order: FindOptions['order'];
  readonly after?: LetterPosition | undefined;
  readonly skip?: number;
  readonly wanted: number;
}

export interface Walked {
  /** Letters within the span of time, whatever else they are. */
  readonly inSpan: number;
  readonly matched: number;
  readonly isEnd: boolean;
  readonly last: LetterPosition | undefined;
  readonly found: readonly LetterVersion[];
}

/** Looks for letters. */
export interface LetterSearch {
  /** One call along the shortest index that holds all letters meant. */
  walk(filter: DeadLetterFilter, walk: Walk): Promise<Walked>;
  find(filter: DeadLetterFilter, options: FindOptions): Promise<FoundLetters>;
  count(filter: DeadLetterFilter): Promise<number>;
  read(ids: readonly string[]): Promise<readonly StoredLetter[]>;
}

export function letterSearch(redis: Redis, keys: LetterKeys): LetterSearch {
  return { walk, find, count, read };

  async function walk(filter: DeadLetterFilter, { order, after, skip = 0, wanted }: Walk): Promise<Walked> {
    const [shortest, ...others] = await byLength(tagsOfFilter(filter));
    // A letter holds the text as JSON spells it.
    const text = filter.text === undefined ? '' : lowerAscii(JSON.stringify(filter.text).slice(1, -1));
    const reply = (await runScript(
      redis,
      FIND_LETTERS,
      [keys.root, keys.index(shortest)],
      [
        order,
        filter.deadFromMs ?? '',
        filter.deadBeforeMs ?? '',
        after?.atMs ?? '',
        after?.id ?? '',
        skip,
        // Where every letter looked at is found, there is nothing to look for beyond those wanted.
        wanted >= 0 && others.length === 0 && text === '' ? wanted : LOOKED_AT_A_CALL,
        wanted,
        BYTES_A_CALL,
        text,
        ...others,
      ],
    )) as [number, number, number, string, string, ...string[]];
    const [inSpan, matched, end, lastAt, lastId, ...flat] = reply;
    const last = lastId === '' ? undefined : { atMs: Number(lastAt), id: lastId };
    return { inSpan, matched, isEnd: end === 1, last, found: versionsOf(flat) };
  }

  async function find(filter: DeadLetterFilter, options: FindOptions): Promise<FoundLetters> {
    if (filter.ids !== undefined) return findByIds(filter, filter.ids, options);
    const { order, after, limit } = options;
    const walked = await walk(filter, { order, after, wanted: limit });
    const found = isToldByTags(filter) ? walked.found : await verified(filter, walked.found);
    return walked.isEnd || walked.last === undefined ? { found } : { found, after: walked.last };
  }

  /** What tags and a text in bytes cannot tell is told by the letter itself. */
  async function verified(
    filter: DeadLetterFilter,
    found: readonly LetterVersion[],
  ): Promise<readonly LetterVersion[]> {
    const letters = await read(found.map(({ id }) => id));
    return letters.filter(({ letter }) => matchesFilter(letter, filter));
  }

  /** In the order they are given in; the place to go on is that in the list. */
  async function findByIds(
    filter: DeadLetterFilter,
    ids: readonly string[],
    { after, limit }: FindOptions,
  ): Promise<FoundLetters> {
    const from = after === undefined ? 0 : ids.indexOf(after.id) + 1;
    const asked = ids.slice(from, from + limit);
    const letters = await read(asked.map(letterIdOf));
    const found = letters.filter(({ letter }) => matchesFilter(letter, filter));
    const last = asked.at(-1);
    return from + asked.length >= ids.length || last === undefined
      ? { found }
      : { found, after: { atMs: 0, id: last } };
  }

  async function count(filter: DeadLetterFilter): Promise<number> {
    const isTold = isToldByTags(filter);
    if (isTold && tagsOfFilter(filter).length <= 1)
      return (await walk(filter, { order: 'newest', wanted: 0 })).inSpan;
    let total = 0;
    let after: LetterPosition | undefined;
    do {
      if (isTold) {
        const walked = await walk(filter, { order: 'newest', after, wanted: COUNT_ONLY });
        total += walked.matched;
        after = walked.isEnd ? undefined : walked.last;
      } else {
        const page = await find(filter, { order: 'newest', after, limit: LETTERS_A_CALL });
        total += page.found.length;
        after = page.after;
      }
    } while (after !== undefined);
    return total;
  }

  async function read(ids: readonly string[]): Promise<readonly StoredLetter[]> {
    if (ids.length === 0) return [];
    const lengths = redis.pipeline();
    for (const id of ids) lengths.strlen(keys.letter(id));
    const sizes = ((await lengths.exec()) ?? []).map(([, size]) => Number(size));
    const letters: StoredLetter[] = [];
    for (const part of partsOf(ids, sizes)) {
      const values = await redis.mget(part.map(keys.letter));
      part.forEach((id, index) => {
        const value = values[index];
        if (value !== null && value !== undefined) letters.push(decodeLetter(id, value));
      });
    }
    return letters;
  }

  async function byLength(tags: readonly string[]): Promise<readonly string[]> {
    if (tags.length < 2) return tags;
    const sizes = await Promise.all(tags.map((tag) => redis.zcard(keys.index(tag))));
    return tags
      .map((tag, index) => ({ tag, size: sizes[index] ?? 0 }))
      .sort((a, b) => a.size - b.size)
      .map(({ tag }) => tag);
  }
}

const letterIdOf = (id: string): string => (id.startsWith('d-') ? id : `d-${id}`);

/** The ids in parts that are not too much to read in one call. */
function* partsOf(ids: readonly string[], sizes: readonly number[]): Generator<readonly string[]> {
  let from = 0;
  let bytes = 0;
  for (let index = 0; index < ids.length; index += 1) {
    const size = sizes[index] ?? 0;
    if (index > from && (bytes + size > READ_BYTES_A_CALL || index - from >= LETTERS_A_CALL)) {
      yield ids.slice(from, index);
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  yield ids.slice(from);
}
