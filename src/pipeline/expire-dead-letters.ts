import type { DeadLetterStore, StoredLetter } from './dead-letter-ports.ts';
import type { Log } from './ports.ts';

/** How long and how many dead letters are kept; what is absent sets no end. */
export interface Retention {
  /** Letters older than that go, in milliseconds since their death. */
  readonly maxAgeMs?: number | undefined;
  /** Of more letters than that the oldest go. */
  readonly maxCount?: number | undefined;
}

export interface ExpireContext {
  readonly letters: Pick<DeadLetterStore, 'find' | 'read' | 'remove' | 'audit' | 'count'>;
  readonly now: () => number;
  /** Whose sweep it is. */
  readonly worker: string;
  readonly log: Log;
}

/** Letters that go in one step. */
const LETTERS_A_STEP = 100;

/**
 * Takes away what is kept long enough. Never silent: each letter is logged by its id, counted in the step that
 * takes it away, and the audit log says how many went. Several workers may do it at once.
 *
 * @returns how many went
 */
export async function expireDeadLetters(
  { maxAgeMs, maxCount }: Retention,
  context: ExpireContext,
): Promise<number> {
  const { letters, now, worker, log } = context;
  let expired = 0;
  if (maxAgeMs !== undefined) {
    const filter = { deadBeforeMs: now() - maxAgeMs };
    for (;;) {
      const gone = await step(filter, LETTERS_A_STEP, 0, 'age');
      if (gone === undefined) break;
      expired += gone;
    }
  }
  if (maxCount !== undefined) {
    for (let excess = await excessOver(maxCount); excess > 0; excess = await excessOver(maxCount)) {
      expired += (await step({}, Math.min(excess, LETTERS_A_STEP), maxCount, 'count')) ?? 0;
    }
  }
  if (expired > 0) {
    await letters.audit({ at: new Date(now()).toISOString(), by: worker, action: 'expire', count: expired });
  }
  return expired;

  async function excessOver(most: number): Promise<number> {
    return (await letters.count({})) - most;
  }

  /** Undefined where there is none any more. */
  async function step(
    filter: { readonly deadBeforeMs?: number },
    limit: number,
    keepAtLeast: number,
    why: 'age' | 'count',
  ): Promise<number | undefined> {
    const { found } = await letters.find(filter, { order: 'oldest', limit });
    if (found.length === 0) return undefined;
    const stored = await letters.read(found.map(({ id }) => id));
    const gone = new Set(await letters.remove(found, 'expired', keepAtLeast));
    for (const each of stored) if (gone.has(each.id)) log.warn(fieldsOf(each, why), 'dead letter expired');
    return gone.size;
  }
}

function fieldsOf({ letter }: StoredLetter, why: string): Readonly<Record<string, unknown>> {
  return {
    id: letter.id,
    ...(letter.report === null ? {} : { connector_sync_job_id: letter.report.connector_sync_job_id }),
    code: letter.code,
    dead_at: letter.dead_at,
    why,
  };
}
