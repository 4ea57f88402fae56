/** Dead letters to work with, and the desk at which it is done. */
import { onTestFinished } from 'vitest';
import { type DeadLetters, openDeadLetterDesk } from '../../src/dead-letters.ts';
import { DEAD_LETTER_REASONS, type DeadLetter, deadLetterId } from '../../src/domain/dead-letter.ts';
import { reportJobId } from '../../src/domain/job.ts';
import { parse, type QueueSetup, report, setupQueue } from './queue-setup.ts';

export const LEASE_MS = 300;

export interface DeskSetup extends QueueSetup {
  readonly desk: DeadLetters;
  /** Puts letters there for so many reports, oldest first. */
  bury(count: number, changes?: (n: number) => Partial<DeadLetter>): Promise<readonly DeadLetter[]>;
}

export async function setupDesk(redisUrl?: string): Promise<DeskSetup> {
  const queue = await setupQueue(redisUrl);
  const { deadLetters: desk, close } = openDeadLetterDesk(
    queue.redis,
    queue.names,
    parse,
    (work) => work(),
    LEASE_MS,
  );
  onTestFinished(close);
  return {
    ...queue,
    desk,
    async bury(count, changes = () => ({})) {
      const letters = Array.from({ length: count }, (_, n) => letterOf(n, changes(n)));
      await Promise.all(letters.map((letter) => queue.deadLetters.add(letter)));
      return letters;
    },
  };
}

const DIED_AT_MS = Date.UTC(2026, 9, 1);

/** The letter of `job-<n>`. */
export function letterOf(n: number, changes: Partial<DeadLetter> = {}): DeadLetter {
  const code = changes.code ?? 'sync_job_not_found';
  const held = changes.report === undefined ? report(`job-${n}`) : changes.report;
  return {
    id: deadLetterId(reportJobId(held ?? report(`job-${n}`))),
    code,
    reason: DEAD_LETTER_REASONS[code],
    report: held,
    answer: { status: 404, type: 'resource_not_found_exception', reason: 'no such sync job' },
    attempts_made: 1,
    attempts: [
      {
        attempt: 1,
        at: new Date(DIED_AT_MS + n).toISOString(),
        code: 'sync_job_not_found',
        status: 404,
        duration_ms: 3,
        worker: 'worker-0',
      },
    ],
    enqueued_at: new Date(DIED_AT_MS).toISOString(),
    dead_at: new Date(DIED_AT_MS + n).toISOString(),
    worker: 'worker-0',
    redrives: [],
    ...changes,
  };
}
