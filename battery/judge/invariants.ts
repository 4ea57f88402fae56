/** The invariants, each as a function of the evidence. docs/reliability.md says what each demands. */
import type { Acknowledged } from '../stage/producer.ts';
import { account, repeatsOf } from './account.ts';
import type { Evidence } from './evidence.ts';
import { type Finding, finding, round } from './finding.ts';
import { fits } from './fits.ts';
import { askedOf } from './sync-job-path.ts';

const MOST_RSS_MIB = 256;
const NAMED = 3;

/** I1: every acknowledged report has exactly one ending. */
export function conservation(evidence: Evidence): Finding {
  const all = account(evidence);
  const lost = all.filter((one) => !one.isApplied && one.letter === undefined && !one.isInQueue);
  const pending = all.filter(({ isInQueue }) => isInQueue);
  const twice = all.filter(({ isApplied, letter }) => isApplied && letter !== undefined);
  const holds = lost.length + pending.length + twice.length === 0 && evidence.depth === 0;
  return finding(
    'I1 conservation',
    holds,
    `lost ${lost.length}, unaccounted ${pending.length}, two endings ${twice.length}, of ${all.length.toLocaleString('en')}${names([...lost, ...pending, ...twice].map(({ report }) => report))}`,
    '0, 0, 0',
  );
}

/** I2: what Elasticsearch holds is the text of a report for that sync job. */
export function truth(evidence: Evidence): Finding {
  const texts = Map.groupBy([...evidence.reports, ...evidence.unacknowledged], ({ syncJobId }) => syncJobId);
  let foreign = 0;
  for (const [id, { error }] of evidence.syncJobs) {
    if (error === undefined || evidence.scenery.get(id)?.has(error) === true) continue;
    if (texts.get(id)?.some((report) => fits(error, report.error)) !== true) foreign += 1;
  }
  const buried = account(evidence).filter(({ isApplied, letter }) => isApplied && letter !== undefined);
  const strangers = evidence.letters.filter(
    ({ report }) =>
      report !== null &&
      texts.get(report.connector_sync_job_id)?.some(({ error }) => error === report.error) !== true,
  );
  return finding(
    'I2 truth',
    foreign + buried.length + strangers.length === 0,
    `${foreign} texts of others, ${buried.length} applied and buried, ${strangers.length} letters of no report`,
    '0, 0, 0',
  );
}

/** I3: nothing is changed twice, and nothing is sent again without a reason. */
export function boundedRepeats(evidence: Evidence): Finding {
  const changes = Math.max(0, ...evidence.stateChanges.values());
  const twice = [...evidence.stateChanges.values()].filter((count) => count > 1).length;
  const reports = Map.groupBy(evidence.reports, ({ syncJobId }) => syncJobId);
  let unexplained = 0;
  let most = 0;
  let kills = 0;
  for (const [id, repeat] of repeatsOf(evidence, askedOf)) {
    most = Math.max(most, repeat.sets);
    kills += repeat.kills;
    // A refusal that turns out to be of a sync job that runs again is sent once more.
    const allowed =
      (reports.get(id)?.length ?? 1) +
      repeat.kills +
      repeat.unsettled +
      (evidence.brokenAnswers.get(id) ?? 0) +
      repeat.refused;
    if (repeat.sets > allowed) unexplained += 1;
  }
  return finding(
    'I3 bounded repeats',
    twice + unexplained === 0,
    `at most ${changes} change a sync job (${twice} changed twice), at most ${most} requests to set it, ${unexplained} unexplained; ${kills} hit by a kill`,
    'at most 1 change, 0 unexplained',
  );
}

/** I4: what is a dead letter had to be one, for the reason that it names. */
export function noFalseDeath(evidence: Evidence): Finding {
  const all = account(evidence);
  const falseDeaths = all.filter(({ report, letter }) => letter !== undefined && report.ending === 'applied');
  const otherCode = all.filter(
    ({ report, letter }) =>
      letter !== undefined && report.ending !== 'applied' && report.ending.dead !== letter.code,
  );
  const codes = [...falseDeaths, ...otherCode].map(({ letter }) => letter?.code ?? '');
  return finding(
    'I4 no false death',
    falseDeaths.length + otherCode.length === 0,
    `${falseDeaths.length} false dead letters, ${otherCode.length} with another code${tally(codes)}`,
    '0, 0',
  );
}

/** I8: what one worker uses is bounded. */
export function bounded(evidence: Evidence): Finding {
  const rss = Math.max(0, ...evidence.workers.map(({ peakRssMiB }) => peakRssMiB));
  const holds = rss <= MOST_RSS_MIB && evidence.peakInFlight <= evidence.concurrency;
  return finding(
    'I8 bounded',
    holds,
    `in flight at most ${evidence.peakInFlight} of ${evidence.concurrency} a worker, RSS peak ${round(rss)} MiB, ${evidence.otherKeys} keys beside letters`,
    `at most ${evidence.concurrency}, at most ${MOST_RSS_MIB} MiB`,
  );
}

const SETTLED: ReadonlySet<string> = new Set([
  'report applied',
  'report had been applied before',
  'report is a dead letter',
]);

/** I9: what the relay counts is what the oracle counts. */
export function exactAccounting(evidence: Evidence): Finding {
  const wanted = Map.groupBy(
    evidence.reports.flatMap(({ ending }) => (ending === 'applied' ? [] : [ending.dead])),
    (code) => code,
  );
  const codes = new Set([...wanted.keys(), ...Object.keys(evidence.letterCounts)]);
  const known = new Set(evidence.reports.map(({ jobId }) => `d-${jobId}`));
  // A call that failed may have been carried out all the same; its letters are counted apart.
  const others = Map.groupBy(
    evidence.letters.filter(({ id }) => !known.has(id)),
    ({ code }) => code,
  );
  const wrongCodes = [...codes].filter(
    (code) =>
      (wanted.get(code)?.length ?? 0) + (others.get(code)?.length ?? 0) !==
      (evidence.letterCounts[code] ?? 0),
  );
  const told = new Set(
    evidence.lines.flatMap(({ msg, fields }) => (SETTLED.has(msg) ? [String(fields['id'])] : [])),
  );
  const untold = evidence.reports.filter(({ jobId }) => !told.has(jobId));
  const cutShort = inHandsOfTheKilled(evidence);
  const silent = untold.filter(({ syncJobId }) => !cutShort.has(syncJobId));
  const listed = evidence.letterTotal;
  const kept = evidence.letters.length;
  const counted = Object.values(evidence.letterCounts).reduce((sum, count) => sum + count, 0);
  const metrics = compareMetrics(evidence);
  return finding(
    'I9 exact accounting',
    wrongCodes.length === 0 &&
      listed === counted &&
      kept === counted &&
      silent.length === 0 &&
      metrics.wrong.length === 0,
    `dead letters ${counted} counted, ${listed} listed, ${kept} kept, ${wrongCodes.length} codes miscounted; ${silent.length} endings not logged${names(silent)}, ${untold.length - silent.length} by a process that was killed; ${metrics.compared} counters of ${evidence.settled.length} processes, ${metrics.wrong.length} wrong${metrics.wrong.slice(0, NAMED).join(', ')}`,
    'the oracle’s figures',
  );
}

/**
 * Metrics go with their process, so that each is held to what its process logged, and the log is held to the oracle
 * report by report. Where no process has ended and each report had one ending, their sums are held to the oracle's.
 */
function compareMetrics({ settled, lines, reports, unacknowledged, workers }: Evidence): {
  readonly compared: number;
  readonly wrong: readonly string[];
} {
  const wrong: string[] = [];
  let compared = 0;
  const compare = (name: string, count: number, wanted: number): void => {
    compared += 1;
    if (count !== wanted) wrong.push(` ${name}: ${count}, not ${wanted}`);
  };
  const endings = lines.filter(({ msg }) => SETTLED.has(msg));
  for (const { slot, incarnation, counts } of settled) {
    const own = endings.filter((line) => line.slot === slot && line.incarnation === incarnation);
    const logged = countBy(own, ({ fields }) => String(fields['code']));
    for (const code of new Set([...logged.keys(), ...Object.keys(counts)])) {
      compare(`worker ${slot}, ${code}`, counts[code] ?? 0, logged.get(code) ?? 0);
    }
  }
  const isOnce = new Set(endings.map(({ fields }) => fields['id'])).size === endings.length;
  if (workers.length !== settled.length || !isOnce || unacknowledged.length > 0) return { compared, wrong };
  const wanted = countBy(reports, ({ ending }) => (ending === 'applied' ? ending : ending.dead));
  const all = new Map<string, number>();
  for (const [name, count] of settled.flatMap(({ counts }) => Object.entries(counts))) {
    const code = name === 'already_applied' ? 'applied' : name;
    all.set(code, (all.get(code) ?? 0) + count);
  }
  for (const code of new Set([...wanted.keys(), ...all.keys()])) {
    compare(`all, ${code}`, all.get(code) ?? 0, wanted.get(code) ?? 0);
  }
  return { compared, wrong };
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return counts;
}

/** How long a process may take from its last request to its line in the log. */
const LAST_WORDS_MS = 2_000;

/** Sync jobs of which a process may have settled the report without living to say so. */
function inHandsOfTheKilled({ workers, exchanges }: Evidence): Set<string> {
  const kills = workers.flatMap(({ slot, killedAtMs }) =>
    killedAtMs === undefined ? [] : [{ slot, killedAtMs }],
  );
  const found = new Set<string>();
  for (const { slot, exchange } of exchanges) {
    const asked = askedOf(exchange.method, exchange.path);
    const isLast = kills.some(
      (kill) =>
        kill.slot === slot &&
        kill.killedAtMs >= exchange.atMs &&
        kill.killedAtMs - exchange.atMs <= LAST_WORDS_MS,
    );
    if (asked !== undefined && isLast) found.add(asked.syncJobId);
  }
  return found;
}

/** I10: no planted secret is anywhere. */
export function secrecy(evidence: Evidence): Finding {
  return finding(
    'I10 secrecy',
    evidence.secretsFound.length === 0,
    evidence.secretsFound.length === 0
      ? '0 planted secrets found'
      : `found in ${evidence.secretsFound.join(', ')}`,
    '0',
  );
}

/** What every row has to hold. */
export function commonFindings(evidence: Evidence): Finding[] {
  return [
    conservation(evidence),
    truth(evidence),
    boundedRepeats(evidence),
    noFalseDeath(evidence),
    bounded(evidence),
    exactAccounting(evidence),
    secrecy(evidence),
  ];
}

function names(found: readonly Acknowledged[]): string {
  if (found.length === 0) return '';
  const some = found.slice(0, NAMED).map(({ syncJobId, jobId }) => `${syncJobId} ${jobId}`);
  return ` (${some.join(', ')}${found.length > NAMED ? ', …' : ''})`;
}

function tally(codes: readonly string[]): string {
  if (codes.length === 0) return '';
  const counts = Map.groupBy(codes, (code) => code);
  return ` (${[...counts].map(([code, found]) => `${code} ${found.length}`).join(', ')})`;
}
