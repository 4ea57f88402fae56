/** R2's points in the life of a bundle: several reports in one job, with every ending among them. */
import { account } from '../judge/account.ts';
import { type Finding, finding } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import { below, shuffled } from '../seeded.ts';
import type { Passing } from '../stage/fault.ts';
import type { Slot } from '../stage/fleet.ts';
import type { OracleReport } from '../stage/producer.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { named, type RowContext } from './row.ts';

interface Sizes {
  readonly times: number;
  readonly env: Readonly<Record<string, string>>;
}

/** A moment in a bundle's life at which its worker dies. */
interface BundlePoint {
  readonly name: string;
  readonly way: 'redis' | 'elasticsearch';
  readonly marks: (passing: Passing) => boolean;
  /** Whether any of several marks may be the one. */
  readonly isAnyOf: boolean;
  readonly passesOn: boolean;
}

const asks =
  (from: Passing['from']) =>
  (passing: Passing): boolean => {
    const { exchange } = passing;
    const asked = exchange === undefined ? undefined : askedOf(exchange.method, exchange.path);
    return passing.from === from && asked?.kind === 'set';
  };

/** The hash of the reports in bundles is asked when one is opened, and changed when its reports are settled. */
const notes = ({ from, text }: Passing): boolean =>
  from === 'client' && /:bundled:\w+\r\n/.test(text) && /:bundles:\w+\r\n/.test(text);

const fetches = ({ from, text }: Passing): boolean => from === 'server' && text.includes('"reports":[[');

const POINTS: readonly BundlePoint[] = [
  { name: 'after fetch', way: 'redis', marks: fetches, isAnyOf: false, passesOn: false },
  { name: 'before a PUT', way: 'elasticsearch', marks: asks('client'), isAnyOf: true, passesOn: false },
  { name: 'after a PUT sent', way: 'elasticsearch', marks: asks('client'), isAnyOf: true, passesOn: true },
  { name: 'before an answer', way: 'elasticsearch', marks: asks('server'), isAnyOf: true, passesOn: false },
  { name: 'before it is noted', way: 'redis', marks: notes, isAnyOf: false, passesOn: false },
  { name: 'note sent', way: 'redis', marks: notes, isAnyOf: false, passesOn: true },
];

const OF_EACH_ENDING = 8;
const ENDINGS = 5;
const WITHIN_MS = 60_000;

/** Killed with a bundle in hand; the next worker settles what is left of it. */
export async function inABundle(context: RowContext, { times, env }: Sizes): Promise<Finding[]> {
  await using stage = await openStage(context, { workers: 1, env: { ...env, MAX_CRASHES: '5' } });
  const [slot] = stage.fleet.slots;
  if (slot === undefined) throw new Error('a fleet of none');
  await slot.start();
  // Slow enough that some of a bundle is settled and some under way at every moment.
  stage.standIn.faults.add({ kind: 'latency', latency: { distribution: 'uniform', minMs: 5, maxMs: 80 } });
  const random = stage.random('bundle');
  const findings: Finding[] = [];
  for (const point of POINTS) {
    context.say(`in a bundle: ${point.name}`);
    let whole = 0;
    for (let n = 0; n < times; n += 1) {
      const reports = shuffled(bundleOf(stage, `bundle-${POINTS.indexOf(point)}-${n}`), random);
      const nth = point.isAnyOf ? 1 + below(random, reports.length) : 1;
      const known = stage.producer.acknowledged.size;
      const killed = killAtNth(slot, point, nth);
      await stage.producer.report(reports);
      await killed;
      await slot.worker?.exited;
      await slot.start();
      const hasSettled = await stage.settle(WITHIN_MS);
      const ended = account(await stage.evidence())
        .slice(known)
        .filter(({ report, isApplied, letter }) =>
          report.ending === 'applied'
            ? isApplied && letter === undefined
            : letter?.code === report.ending.dead,
        );
      if (hasSettled && ended.length === reports.length) whole += 1;
    }
    findings.push(
      finding(
        `in a bundle: ${point.name}`,
        whole === times,
        `${whole} of ${times} bundles of ${OF_EACH_ENDING * ENDINGS} with ${ENDINGS} kinds of ending, each report ended once and rightly`,
        'all',
      ),
    );
  }
  return [...named('in a bundle', commonFindings(await stage.evidence())), ...findings];
}

/** Reports for one bundle, so many for each way to end. */
function bundleOf(stage: Stage, name: string): OracleReport[] {
  const some = (part: string, ending: OracleReport['ending']): OracleReport[] =>
    makeReports(`${name}-${part}`, OF_EACH_ENDING, ending);
  const running = some('running', 'applied');
  const gone = some('gone', { dead: 'sync_job_not_found' });
  const superseded = some('superseded', { dead: 'superseded' });
  const over = some('over', { dead: 'terminal_state' });
  const already = some('already', 'applied');
  stage.putSyncJobsOf(running);
  for (const { syncJobId } of superseded)
    stage.putSyncJob(syncJobId, 'error', `Another error of ${syncJobId}`);
  for (const { syncJobId } of over) stage.putSyncJob(syncJobId, 'completed');
  for (const { syncJobId, error } of already) stage.putSyncJob(syncJobId, 'error', error);
  return [...running, ...gone, ...superseded, ...over, ...already];
}

/** Kills the slot's worker when the point has come for the nth time; resolves when that has happened. */
function killAtNth(slot: Slot, point: BundlePoint, nth: number): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    const unwatch = slot[point.way].watch((passing) => {
      if (!point.marks(passing)) return 'pass';
      seen += 1;
      if (seen < nth) return 'pass';
      slot.worker?.signal('SIGKILL');
      unwatch();
      resolve();
      return point.passesOn ? 'pass' : 'stop';
    });
  });
}
