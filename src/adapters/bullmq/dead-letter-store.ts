import type { Redis } from 'ioredis';
import { DEAD_LETTER_CODES, type DeadLetterCode } from '../../domain/codes.ts';
import type { DeadLetter } from '../../domain/dead-letter.ts';
import type {
  DeadLetterCounts,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterQueue,
} from '../../pipeline/ports.ts';
import type { QueueNames } from './names.ts';

/**
 * Keeps dead letters in Redis: each as one JSON string, an index of all of them by time, and one index a
 * code. Not a BullMQ queue, because a letter is looked up, filtered and taken out of the middle, which a
 * queue's list makes slower with every letter.
 *
 * KEYS: the letter, the index of all, the index of its code. ARGV: the letter, its id, its time.
 */
const ADD_LETTER = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX') == false then return 0 end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
return 1`;

/** Opens the dead letters over a connection that its owner closes. */
export function openDeadLetters(redis: Redis, names: QueueNames): DeadLetterQueue {
  const root = `${names.prefix}:dead-letters`;
  const letterKey = (id: string): string => `${root}:letter:${id}`;
  const indexKey = (code: DeadLetterCode | undefined): string =>
    code === undefined ? `${root}:all` : `${root}:code:${code}`;

  return {
    async add(letter: DeadLetter): Promise<'added' | 'present'> {
      const keys = [letterKey(letter.id), indexKey(undefined), indexKey(letter.code)];
      const args = [JSON.stringify(letter), letter.id, Date.parse(letter.dead_at)];
      const added = await redis.eval(ADD_LETTER, keys.length, ...keys, ...args);
      return added === 1 ? 'added' : 'present';
    },

    async list({ code, offset, limit }: DeadLetterQuery): Promise<DeadLetterPage> {
      const index = indexKey(code);
      const [total, ids] = await Promise.all([
        redis.zcard(index),
        // A range of 0 to -1 would be all of them.
        limit < 1 ? [] : redis.zrevrange(index, offset, offset + limit - 1),
      ]);
      const texts = ids.length === 0 ? [] : await redis.mget(ids.map(letterKey));
      return { total, letters: texts.flatMap((text) => (text === null ? [] : [parseLetter(text)])) };
    },

    async get(id: string): Promise<DeadLetter | undefined> {
      const text = await redis.get(letterKey(id));
      return text === null ? undefined : parseLetter(text);
    },

    async counts(): Promise<DeadLetterCounts> {
      const sizes = await Promise.all(DEAD_LETTER_CODES.map((code) => redis.zcard(indexKey(code))));
      const counted = DEAD_LETTER_CODES.map((code, index) => [code, sizes[index] ?? 0] as const);
      return Object.fromEntries(counted.filter(([, count]) => count > 0));
    },
  };
}

/** Only this file writes letters, so that their form can be trusted. */
function parseLetter(text: string): DeadLetter {
  return JSON.parse(text) as DeadLetter;
}
