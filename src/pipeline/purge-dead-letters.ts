import type { DeadLetterFilter } from '../domain/dead-letter-filter.ts';
import { type DeadLetterStore, LETTERS_A_CALL, type LetterPosition } from './dead-letter-ports.ts';

export interface PurgeContext {
  readonly letters: Pick<DeadLetterStore, 'find' | 'remove' | 'audit' | 'count'>;
  readonly now: () => number;
  /** Who purges. */
  readonly by: string;
  readonly signal?: AbortSignal | undefined;
  /** Is told how many are gone, each time some are. */
  readonly onProgress?: ((purged: number) => void) | undefined;
}

/**
 * Takes away for good every letter that matches, oldest first.
 *
 * The audit log says that it begins, with the number of letters meant, and what it came to; each letter is counted
 * in the step that takes it away, so that the totals are exact whatever happens in between. Repeating it is
 * harmless.
 *
 * @returns how many are gone
 */
export async function purgeDeadLetters(filter: DeadLetterFilter, context: PurgeContext): Promise<number> {
  const { letters, now, by, signal, onProgress } = context;
  const entry = (action: 'purge-begun' | 'purge-ended', count: number) =>
    letters.audit({ at: new Date(now()).toISOString(), by, action, filter, count });
  await entry('purge-begun', await letters.count(filter));
  let purged = 0;
  let after: LetterPosition | undefined;
  do {
    const page = await letters.find(filter, { order: 'oldest', after, limit: LETTERS_A_CALL });
    purged += (await letters.remove(page.found, 'purged')).length;
    onProgress?.(purged);
    after = page.after;
  } while (after !== undefined && signal?.aborted !== true);
  await entry('purge-ended', purged);
  return purged;
}
