import type { LetterPosition } from '../../pipeline/dead-letter-ports.ts';

/** Where a page begins, and what is known of those before it. */
export interface PageStart {
  readonly after?: LetterPosition | undefined;
  /** Letters still to pass over. */
  readonly skip: number;
  /** Letters that matched on the pages before. */
  readonly seen: number;
}

/** Writes a cursor: a short word that holds all of it. */
export function encodeCursor({ after, skip, seen }: PageStart): string {
  return Buffer.from(JSON.stringify([after?.atMs, after?.id, skip, seen])).toString('base64url');
}

/**
 * Reads a cursor.
 *
 * @throws {RangeError} where it is none of ours
 */
export function decodeCursor(cursor: string): PageStart {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const [atMs, id, skip, seen] = parts as [number | null, string | null, number, number];
    const isPlace = typeof atMs === 'number' && Number.isFinite(atMs) && typeof id === 'string';
    if (isPlace && [skip, seen].every((count) => Number.isSafeInteger(count) && count >= 0))
      return { after: { atMs, id }, skip, seen };
  } catch {
    // Told below, as any other word that is no cursor.
  }
  throw new RangeError('expected a cursor as a page gives it');
}
