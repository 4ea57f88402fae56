import { setTimeout as sleep } from 'node:timers/promises';
import { type Finding, finding, round, seconds } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row, type RowContext } from './row.ts';

interface Sizes {
  readonly workers: number;
  readonly settlingMs: number;
  readonly measuredMs: number;
  readonly waitSeconds: number;
}

const LIMIT_PER_SECOND = 50;
const MOST_DEVIATION = 0.2;
const TOLERANCE_MS = 1_000;
const MOST_WAIT_MS = 300_000;
const SETTLE_MS = 120_000;

/** R10: an Elasticsearch that asks to be spared, politely or not. */
export const throttling: Row = defineRow<Sizes>({
  id: 'R10',
  fault: '429 at 50 a second; Retry-After in every form',
  sizes: {
    full: { workers: 3, settlingMs: 30_000, measuredMs: 30_000, waitSeconds: 8 },
    short: { workers: 2, settlingMs: 20_000, measuredMs: 10_000, waitSeconds: 4 },
  },
  async run(context, sizes) {
    const wait = sizes.waitSeconds;
    context.say('429 storm');
    const all = [...(await storm(context, sizes))];
    for (const [name, header, isHonoured] of [
      ['seconds', wait, true],
      ['date', `date:${wait}`, true],
      ['negative', '-1', false],
      ['garbage', 'soon, I hope', false],
      ['10^12', '1000000000000', false],
    ] as const) {
      context.say(`Retry-After: ${name}`);
      const findings = await retryAfter(context, sizes, header, isHonoured);
      all.push(...findings.map((one) => ({ ...one, invariant: `${name}: ${one.invariant}` })));
    }
    return all;
  },
});

async function storm(context: RowContext, { workers, settlingMs, measuredMs }: Sizes): Promise<Finding[]> {
  await using stage = await openStage(context, { workers });
  const count = ((settlingMs + measuredMs) / 1_000) * LIMIT_PER_SECOND * 2;
  const reports = makeReports('storm', count);
  stage.putSyncJobsOf(reports);
  await stage.fleet.start();
  const forMs = settlingMs + measuredMs;
  stage.standIn.faults.add({ kind: 'rate-limit', perSecond: LIMIT_PER_SECOND, forMs });
  await stage.producer.report(reports);
  await sleep(settlingMs);
  const fromMs = Date.now();
  await sleep(measuredMs);
  const toMs = Date.now();
  await stage.settle(SETTLE_MS);

  const inTime = [...stage.standIn.ledger.entries({ method: 'PUT' })].filter(
    ({ timeMs }) => timeMs >= fromMs && timeMs < toMs,
  );
  const rate = (inTime.length / (toMs - fromMs)) * 1_000;
  const rejected = inTime.filter(({ status }) => status === 429).length;
  return [
    ...commonFindings(await stage.evidence()),
    finding(
      'rate settles',
      Math.abs(rate / LIMIT_PER_SECOND - 1) <= MOST_DEVIATION,
      `${rate.toFixed(1)} requests a second after ${seconds(settlingMs)}, ${rejected} of ${inTime.length} rejected`,
      `${LIMIT_PER_SECOND} ± ${MOST_DEVIATION * 100} %`,
    ),
  ];
}

async function retryAfter(
  context: RowContext,
  { workers, waitSeconds }: Sizes,
  header: number | string,
  isHonoured: boolean,
): Promise<Finding[]> {
  await using stage = await openStage(context, { workers });
  const reports = makeReports('spared', waitSeconds * 100);
  stage.putSyncJobsOf(reports);
  await stage.fleet.start();
  const inflow = stage.producer.inflow(reports, 50);
  await sleep(500);
  stage.standIn.faults.add({ kind: 'status', status: 429, retryAfter: header, count: 1 });
  await inflow;
  const isPatient = header === '1000000000000';
  if (!isPatient) await stage.settle(SETTLE_MS);

  const rejection = [...stage.standIn.ledger.entries({ status: 429 })][0];
  if (rejection === undefined) throw new Error('no request was rejected');
  const findings = isHonoured
    ? [silence(stage, rejection.timeMs, waitSeconds * 1_000)]
    : [clamped(stage, isPatient)];
  return isPatient ? findings : [...commonFindings(await stage.evidence()), ...findings];
}

/** No request of the whole fleet before the time is over. */
function silence({ fleet }: Stage, atMs: number, waitMs: number): Finding {
  const early = fleet
    .exchanges()
    .filter(
      ({ exchange }) =>
        askedOf(exchange.method, exchange.path) !== undefined &&
        exchange.atMs > atMs + TOLERANCE_MS &&
        exchange.atMs < atMs + waitMs - TOLERANCE_MS,
    ).length;
  const next = Math.min(
    ...fleet
      .exchanges()
      .flatMap(({ exchange }) => (exchange.atMs > atMs + TOLERANCE_MS ? [exchange.atMs] : [])),
  );
  return finding(
    'Retry-After kept',
    early === 0,
    `${early} requests of the fleet too early, the next ${seconds(next - atMs)} after the answer that asked for ${seconds(waitMs)}`,
    '0 (± 1 s)',
  );
}

/** A hostile value parks nobody: no wait is longer than the longest that is believed. */
function clamped({ fleet }: Stage, isPatient: boolean): Finding {
  const waits = fleet.lines.flatMap(({ fields }) =>
    typeof fields['delay_ms'] === 'number' ? [fields['delay_ms']] : [],
  );
  const longest = Math.max(0, ...waits);
  return finding(
    'hostile value clamped',
    longest <= MOST_WAIT_MS && (isPatient ? longest > 0 : longest < 60_000),
    `the longest wait is ${round(longest / 1_000)} s`,
    `at most ${MOST_WAIT_MS / 1_000} s, and nothing extraordinary where nothing is asked for`,
  );
}
