import { shortenError } from '../../domain/shorten-error.ts';
import type { SyncJobDocument } from '../../stand-in/index.ts';

/** What matters of a sync job here. */
export interface SyncJobState {
  readonly status: string;
  readonly error: string | undefined;
}

/** The text each sync job was first reported with. */
export type FirstErrors = ReadonlyMap<string, string>;

/** A sync job whose final state is not what the reports demand. */
export interface WrongSyncJob {
  readonly id: string;
  readonly expected: SyncJobState | undefined;
  readonly found: SyncJobState | undefined;
}

/** What is remembered of a sync job before anything is reported. */
export function stateOf(document: SyncJobDocument): SyncJobState {
  return { status: document.status, error: document.error };
}

/**
 * Compares every sync job with what the reports demand: one that was running and was reported ends as
 * `error` with the text of its first report; every other is as it was.
 */
export function wrongSyncJobs(
  before: ReadonlyMap<string, SyncJobState>,
  firstErrors: FirstErrors,
  after: Iterable<SyncJobDocument>,
): WrongSyncJob[] {
  const wrong: WrongSyncJob[] = [];
  const missing = new Map(before);
  for (const document of after) {
    const { id } = document;
    const was = before.get(id);
    const expected = was === undefined ? undefined : demanded(was, firstErrors.get(id));
    const found = stateOf(document);
    missing.delete(id);
    if (expected?.status !== found.status || expected.error !== found.error)
      wrong.push({ id, expected, found });
  }
  for (const [id, expected] of missing) wrong.push({ id, expected, found: undefined });
  return wrong;
}

function demanded(before: SyncJobState, firstError: string | undefined): SyncJobState {
  const isRunning = before.status === 'in_progress' || before.status === 'canceling';
  return isRunning && firstError !== undefined
    ? { status: 'error', error: shortenError(firstError) }
    : before;
}
