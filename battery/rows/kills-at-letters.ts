/** R2's points in what people do with dead letters: the command line dies, and is simply called again. */
import type { Evidence } from '../judge/evidence.ts';
import { type Finding, finding } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { below } from '../seeded.ts';
import type { Passing } from '../stage/fault.ts';
import type { OracleReport } from '../stage/producer.ts';
import { type CliRun, startCli } from '../stage/run-cli.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { named, type RowContext } from './row.ts';

interface Sizes {
  readonly times: number;
  readonly env: Readonly<Record<string, string>>;
}

/** A moment at which the command line dies; what changes Redis is marked by bytes of its own. */
interface Moment {
  readonly name: string;
  /** Whether the answer to what is marked is where it dies, rather than the mark itself. */
  readonly atAnswer: boolean;
  /** Whether the bytes still arrive. */
  readonly passesOn: boolean;
}

const MOMENTS: readonly Moment[] = [
  { name: 'before it', atAnswer: false, passesOn: false },
  { name: 'sent', atAnswer: false, passesOn: true },
  { name: 'done, before the answer', atAnswer: true, passesOn: false },
];

const LETTERS = 20;
const RATE = 200;
/** A run at this rate moves so many letters in one transaction. */
const LETTERS_A_MOVE = 5;
const SETTLE_MS = 60_000;

/** The transaction that moves letters into the queue. */
const moves = ({ from, text }: Passing): boolean => from === 'client' && /\bexec\r\n/i.test(text);

/** The command that takes letters away says what is to be counted. */
const removes = ({ from, text }: Passing): boolean => from === 'client' && text.includes('\r\npurged\r\n');

/** Killed in a redrive, which is then resumed. */
export async function inRedrive(context: RowContext, { times, env }: Sizes): Promise<Finding[]> {
  await using stage = await openStage(context, { workers: 1, env });
  await stage.fleet.start();
  const random = stage.random('redrive');
  const findings: Finding[] = [];
  for (const moment of MOMENTS) {
    context.say(`in redrive: ${moment.name}`);
    let whole = 0;
    for (let n = 0; n < times; n += 1) {
      const reports = await dead(stage, `redrive-${MOMENTS.indexOf(moment)}-${n}`);
      stage.putSyncJobsOf(reports);
      const args = ['dead-letters', 'redrive', '--all', '--rate', String(RATE), '--json'];
      await dieAt(stage, args, { marks: moves, nth: 1 + below(random, LETTERS / LETTERS_A_MOVE), moment });
      const [run] = await stage.producer.relay.deadLetters.redriveRuns();
      const resumed = startCli(stage.producer, stage.env, [
        'dead-letters',
        'redrive',
        '--resume',
        run?.id ?? '',
      ]);
      const { code } = await resumed.ended;
      await stage.settle(SETTLE_MS);
      const applied = reports.filter(({ syncJobId }) => stage.standIn.syncJob(syncJobId)?.status === 'error');
      const moved = (await stage.producer.relay.deadLetters.redriveRun(run?.id ?? ''))?.counts.redriven;
      if (code === 0 && applied.length === LETTERS && moved === LETTERS) whole += 1;
    }
    findings.push(
      finding(
        `in redrive: ${moment.name}`,
        whole === times,
        `${whole} of ${times} runs resumed and ended with each of ${LETTERS} letters moved once and applied`,
        'all',
      ),
    );
  }
  const evidence = await stage.evidence();
  return [...named('in redrive', commonFindings(withEnding(evidence, 'applied'))), ...findings];
}

/** Killed in a purge, which is then repeated. */
export async function inPurge(context: RowContext, { times, env }: Sizes): Promise<Finding[]> {
  await using stage = await openStage(context, { workers: 1, env });
  await stage.fleet.start();
  const { deadLetters } = stage.producer.relay;
  const findings: Finding[] = [];
  let purged = 0;
  for (const moment of MOMENTS) {
    context.say(`in purge: ${moment.name}`);
    let whole = 0;
    for (let n = 0; n < times; n += 1) {
      await dead(stage, `purge-${MOMENTS.indexOf(moment)}-${n}`);
      const args = ['dead-letters', 'purge', '--all', '--yes', '--json'];
      await dieAt(stage, args, { marks: removes, nth: 1, moment });
      const { code } = await startCli(stage.producer, stage.env, args).ended;
      purged += LETTERS;
      const counted = (await deadLetters.totals()).purged.sync_job_not_found;
      const left = await deadLetters.count({});
      if (code === 0 && left === 0 && counted === purged) whole += 1;
    }
    findings.push(
      finding(
        `in purge: ${moment.name}`,
        whole === times,
        `${whole} of ${times} purges repeated, with each of ${LETTERS} letters gone and counted once`,
        'all',
      ),
    );
  }
  const calls = await deadLetters.audit(1_000);
  const begun = calls.filter(({ action }) => action === 'purge-begun').length;
  // Where the killed one had done its work, there was nothing left to begin with.
  const wanted = (MOMENTS.length + 1) * times;
  // A person's purge is an ending: of these reports nothing may be left anywhere.
  const evidence = await stage.evidence();
  const left = evidence.reports.filter(
    ({ jobId }) => evidence.jobsInRedis.has(jobId) || evidence.letters.some(({ id }) => id === `d-${jobId}`),
  ).length;
  return [
    ...named('in purge', commonFindings({ ...evidence, reports: [], unacknowledged: evidence.reports })),
    ...findings,
    finding(
      'in purge: audited',
      begun === wanted && left === 0,
      `${begun} of ${wanted} purges in the audit log, ${left} of ${evidence.reports.length} reports left anywhere`,
      'all, 0',
    ),
  ];
}

/** The evidence, where the reports' ending is another than it was when they were handed in. */
export function withEnding(evidence: Evidence, ending: OracleReport['ending']): Evidence {
  return { ...evidence, reports: evidence.reports.map((report) => ({ ...report, ending })) };
}

/** Reports that have become dead letters. */
async function dead(stage: Stage, name: string): Promise<OracleReport[]> {
  const reports = makeReports(name, LETTERS, { dead: 'sync_job_not_found' });
  await stage.producer.report(reports);
  await stage.settle(SETTLE_MS);
  return reports;
}

/** Runs the command line until its moment has come, and then it is dead. */
async function dieAt(
  { producer, env }: Stage,
  args: readonly string[],
  at: { readonly marks: (passing: Passing) => boolean; readonly nth: number; readonly moment: Moment },
): Promise<void> {
  const run: CliRun = startCli(producer, env, args);
  const { atAnswer, passesOn, name } = at.moment;
  let seen = 0;
  let isDue = false;
  const unwatch = producer.proxy.watch((passing) => {
    if (!isDue && at.marks(passing)) seen += 1;
    if (seen < at.nth) return 'pass';
    // The answer follows what was marked.
    const isHere = atAnswer ? isDue && passing.from === 'server' : !isDue;
    isDue = true;
    if (!isHere) return 'pass';
    run.kill();
    return passesOn ? 'pass' : 'stop';
  });
  const { signal, stderr } = await run.ended;
  unwatch();
  if (signal !== 'SIGKILL') throw new Error(`${args.join(' ')}: ended before ${name}: ${stderr}`);
}
