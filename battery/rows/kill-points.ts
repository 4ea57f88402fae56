/**
 * The points at which R2 kills a worker. A proxy sees the bytes that mark each of them pass, and kills the
 * process before it lets them go on, or after: so nothing in the product has to know of the test.
 */
import { askedOf } from '../judge/sync-job-path.ts';
import type { Passing } from '../stage/fault.ts';
import type { Slot } from '../stage/fleet.ts';
import type { Acknowledged } from '../stage/producer.ts';

/** A moment in a report's life at which its worker dies. */
export interface KillPoint {
  readonly name: string;
  /** On which of the worker's ways the bytes pass. */
  readonly way: 'redis' | 'elasticsearch';
  /** Whether these bytes mark it. */
  readonly marks: (passing: Passing, report: Acknowledged) => boolean;
  /** Whether the bytes still arrive: the process dies after it has sent them, or before. */
  readonly passesOn: boolean;
  /** Whether the report is one that has to become a dead letter. */
  readonly isGone: boolean;
}

const asks =
  (from: Passing['from'], kind: 'set' | 'read') =>
  (passing: Passing, report: Acknowledged): boolean => {
    const { exchange } = passing;
    const asked = exchange === undefined ? undefined : askedOf(exchange.method, exchange.path);
    return passing.from === from && asked?.kind === kind && asked.syncJobId === report.syncJobId;
  };

/** BullMQ's fetch hands a job's payload over in its answer. */
const fetched = ({ from, text }: Passing, { syncJobId }: Acknowledged): boolean =>
  from === 'server' && text.includes(syncJobId) && text.includes('timestamp');

/** The command that finishes a job names it and the set of those completed. */
const completes = ({ from, text }: Passing, { jobId }: Acknowledged): boolean =>
  from === 'client' && text.includes(jobId) && text.includes(':completed');

/** The command that keeps a dead letter carries it. */
const buries = ({ from, text }: Passing, { jobId }: Acknowledged): boolean =>
  from === 'client' && text.includes(`d-${jobId}`);

/** The points that lie in a worker's handling of one report. */
export const KILL_POINTS: readonly KillPoint[] = [
  { name: 'after fetch', way: 'redis', marks: fetched, passesOn: false, isGone: false },
  { name: 'before PUT', way: 'elasticsearch', marks: asks('client', 'set'), passesOn: false, isGone: false },
  {
    name: 'after PUT sent',
    way: 'elasticsearch',
    marks: asks('client', 'set'),
    passesOn: true,
    isGone: false,
  },
  {
    name: 'applied, before 200 arrives',
    way: 'elasticsearch',
    marks: asks('server', 'set'),
    passesOn: false,
    isGone: false,
  },
  { name: 'after 200', way: 'redis', marks: completes, passesOn: false, isGone: false },
  { name: 'completion sent', way: 'redis', marks: completes, passesOn: true, isGone: false },
  { name: 'before the dead letter', way: 'redis', marks: buries, passesOn: false, isGone: true },
  { name: 'dead letter sent', way: 'redis', marks: buries, passesOn: true, isGone: true },
  { name: 'after the dead letter', way: 'redis', marks: completes, passesOn: false, isGone: true },
];

/** Kills the slot's worker at the point; resolves when that has happened. */
export function killAt(slot: Slot, point: KillPoint, report: Acknowledged): Promise<void> {
  return new Promise((resolve) => {
    const unwatch = slot[point.way].watch((passing) => {
      if (!point.marks(passing, report)) return 'pass';
      slot.worker?.signal('SIGKILL');
      unwatch();
      resolve();
      return point.passesOn ? 'pass' : 'stop';
    });
  });
}
