import type { DeadLetter } from '../../domain/dead-letter.ts';
import { tagsOf } from '../../domain/dead-letter-filter.ts';
import type { LetterVersion, StoredLetter } from '../../pipeline/dead-letter-ports.ts';
import { bundleKeys } from './bundle-scripts.ts';
import type { QueueNames } from './names.ts';

/** Where everything about dead letters lives. */
export interface LetterKeys {
  /** What every key of theirs begins with. */
  readonly root: string;
  /** What the key of every job begins with. */
  readonly jobs: string;
  /** Which reports are in bundles. */
  readonly bundled: string;
  /** The key of a letter. */
  readonly letter: (id: string) => string;
  /** The index of a tag, or of all letters where it is absent. */
  readonly index: (tag: string | undefined) => string;
}

/** The keys below a relay's prefix. */
export function letterKeys(names: QueueNames): LetterKeys {
  const root = `${names.prefix}:dead-letters`;
  const { jobs, bundled } = bundleKeys(names);
  return {
    root,
    jobs,
    bundled,
    letter: (id) => `${root}:letter:${id}`,
    index: (tag) => `${root}:${tag ?? 'all'}`,
  };
}

/** A letter as it is written: its value, its place in time and what it is found by. */
export interface EncodedLetter {
  readonly value: string;
  readonly atMs: number;
  readonly tags: readonly string[];
}

/** Writes a letter out; `dead-letter-scripts.ts` tells the form. */
export function encodeLetter(letter: DeadLetter): EncodedLetter {
  const atMs = Date.parse(letter.dead_at);
  const tags = tagsOf(letter);
  const head = [atMs, letter.edits?.length ?? 0, ...tags].join(' ');
  return { value: `${head}\n${JSON.stringify(letter)}`, atMs, tags };
}

/** Reads a letter back. Only `encodeLetter` writes them, so that their form can be trusted. */
export function decodeLetter(id: string, value: string): StoredLetter {
  const stop = value.indexOf('\n');
  const version = value.slice(0, stop).split(' ', 2).join(' ');
  return { id, version, letter: JSON.parse(value.slice(stop + 1)) as DeadLetter };
}

/** Ids and versions as scripts return them, one after the other. */
export function versionsOf(flat: readonly string[]): LetterVersion[] {
  return Array.from({ length: flat.length / 2 }, (_, index) => ({
    id: flat[index * 2] ?? '',
    version: flat[index * 2 + 1] ?? '',
  }));
}
