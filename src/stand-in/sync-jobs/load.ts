/** Loads sync jobs in bulk, from records or NDJSON, naming the line of whatever is wrong. */
import type { SceneWriter, SyncJobRecord } from './scene.ts';

/** Records, NDJSON text, or lines of NDJSON as they come. */
export type SyncJobInput = string | Iterable<SyncJobRecord> | AsyncIterable<string>;

/** Some lines were no sync jobs; nothing after the last of them was looked at once there were too many. */
export class SyncJobLoadError extends Error {
  /** One entry a bad line, the line counted from 1. */
  readonly problems: readonly { readonly line: number; readonly problem: string }[];

  /** @param problems - At least one. */
  constructor(problems: readonly { readonly line: number; readonly problem: string }[]) {
    super(`sync jobs: ${problems.map(({ line, problem }) => `line ${line}: ${problem}`).join('\n')}`);
    this.name = 'SyncJobLoadError';
    this.problems = problems;
  }
}

const maxProblems = 20;

/**
 * Stores every record of the input; blank lines are passed over and a later record of the same id wins.
 *
 * @returns How many records were stored.
 * @throws SyncJobLoadError after at most twenty bad lines; the good ones before them stay stored.
 */
export async function loadSyncJobs(scene: SceneWriter, input: SyncJobInput, now: string): Promise<number> {
  const problems: { line: number; problem: string }[] = [];
  let line = 0;
  let loaded = 0;
  const take = (parse: () => unknown): boolean => {
    try {
      scene.putUnknown(parse(), now);
      loaded++;
    } catch (error) {
      problems.push({ line, problem: error instanceof Error ? error.message : String(error) });
    }
    return problems.length < maxProblems;
  };
  const takeLine = (text: string): boolean => {
    line++;
    return text.trim() === '' || take(() => JSON.parse(text.replace(/^\uFEFF/, '')));
  };
  if (typeof input === 'string') {
    for (const text of linesOf(input)) if (!takeLine(text)) break;
  } else if (Symbol.asyncIterator in input) {
    for await (const text of input) if (!takeLine(text)) break;
  } else {
    for (const record of input) {
      line++;
      if (!take(() => record)) break;
    }
  }
  if (problems.length > 0) throw new SyncJobLoadError(problems);
  return loaded;
}

/** Lines one at a time, so that a large text is never held twice. */
function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    yield text.slice(from, end === -1 ? undefined : end);
    from = end === -1 ? text.length : end + 1;
  }
}
