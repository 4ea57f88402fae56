/** What working with dead letters asks of the world, beside what a worker asks. */
import type { DeadLetterCode } from '../domain/codes.ts';
import type { DeadLetter } from '../domain/dead-letter.ts';
import type { DeadLetterFilter } from '../domain/dead-letter-filter.ts';
import type { DeadLetterQueue } from './ports.ts';

/** One state of one letter: a change, a redrive or another death makes it another. */
export interface LetterVersion {
  readonly id: string;
  readonly version: string;
}

export interface StoredLetter extends LetterVersion {
  readonly letter: DeadLetter;
}

/** A place in the order of letters, by the time of their death. */
export interface LetterPosition {
  readonly atMs: number;
  readonly id: string;
}

export interface FoundLetters {
  readonly found: readonly LetterVersion[];
  /** Where to go on; absent at the end. */
  readonly after?: LetterPosition;
}

export interface FindOptions {
  readonly order: 'newest' | 'oldest';
  /** Where an earlier search stopped; from the beginning where absent. */
  readonly after?: LetterPosition | undefined;
  /** Most letters to find. */
  readonly limit: number;
}

/** Why letters are taken away for good. */
export type Removal = 'purged' | 'expired';

/** All that can be done with the letters themselves. Each call is one bounded piece of work. */
export interface DeadLetterStore extends DeadLetterQueue {
  /** Looks for letters from a place on, through so many of them and no more: it may find none and not be at the end. */
  find(filter: DeadLetterFilter, options: FindOptions): Promise<FoundLetters>;
  /** How many letters match, exactly; in as many pieces of work as it takes. */
  count(filter: DeadLetterFilter): Promise<number>;
  /** The letters with these ids, in their order; those that are gone are left out. */
  read(ids: readonly string[]): Promise<readonly StoredLetter[]>;
  /**
   * Takes letters away for good, those that are still in the state they were seen in, and counts them.
   *
   * @param keepAtLeast leaves so many letters in all, the rest of the list untouched
   * @returns the ids of those that are gone now
   */
  remove(letters: readonly LetterVersion[], why: Removal, keepAtLeast?: number): Promise<readonly string[]>;
  /** Puts a letter in the place of one of the same id, if that is in the state it was seen in. */
  replace(seen: LetterVersion, letter: DeadLetter, entry: AuditEntry): Promise<'replaced' | 'changed'>;
  /** Keeps a letter from elsewhere, unless it is here or its job is on its way. */
  restore(letter: DeadLetter): Promise<'added' | 'present' | 'on_its_way'>;
  /** Writes down what a person, or retention, has done. */
  audit(entry: AuditEntry): Promise<void>;
  /** What was written down, newest first. */
  audited(limit: number): Promise<readonly AuditEntry[]>;
  /** How many letters have left, ever, by the way they went and their code. */
  totals(): Promise<LetterTotals>;
}

export type LetterTotals = Readonly<
  Record<Removal | 'redriven', Readonly<Partial<Record<DeadLetterCode, number>>>>
>;

/** One line of the audit log. */
export interface AuditEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  readonly action:
    | 'edit'
    | 'expire'
    | 'import'
    | 'purge-begun'
    | 'purge-ended'
    | 'redrive-begun'
    | 'redrive-cancelled'
    | 'redrive-ended'
    | 'redrive-resumed';
  /** The letter, where it is about one. */
  readonly letter?: string;
  /** The redrive run, where it is about one. */
  readonly run?: string;
  /** The letters that were meant, where it is about several. */
  readonly filter?: DeadLetterFilter;
  /** How many letters it was about, or came to. */
  readonly count?: number;
  /** The report's fields that were changed. */
  readonly fields?: readonly string[];
  /** One more word. */
  readonly note?: string;
}

/** Letters looked at in one call, so that Redis is held up for a few milliseconds at most. */
export const LETTERS_A_CALL = 250;

/** Every letter that matches, in bounded memory; letters that come or go meanwhile may or may not be met. */
export async function* eachLetter(
  store: Pick<DeadLetterStore, 'find' | 'read'>,
  filter: DeadLetterFilter,
  order: FindOptions['order'] = 'oldest',
): AsyncGenerator<DeadLetter, void, undefined> {
  let after: LetterPosition | undefined;
  do {
    const page = await store.find(filter, { order, after, limit: LETTERS_A_CALL });
    for (const { letter } of await store.read(page.found.map(({ id }) => id))) yield letter;
    after = page.after;
  } while (after !== undefined);
}
