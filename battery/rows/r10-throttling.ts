import { setTimeout as sleep } from 'node:timers/promises';
import { type Finding, finding, round, seconds } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, named, type Row, type RowContext, runAbreast } from './row.ts';

interface Sizes {
  readonly workers: number;
  readonly settlingMs: number;
  readonly measuredMs: number;
  readonly waitSeconds: number;
  /** Headers that are tried at the same time, each on a fleet of its own. */
  readonly abreast: number;
}

/** A `Retry-After`, in a form that counts or in one that must not. */
interface Header {
  readonly name: string;
  readonly value: number | string;
  readonly isHonoured: boolean;
}

/** Thirty thousand years. */
const ENDLESS = '1000000000000';

const LIMIT_PER_SECOND = 50;
const INFLOW_PER_SECOND = 50;
const MOST_DEVIATION = 0.2;
const TOLERANCE_MS = 1_000;
const MOST_WAIT_MS = 300_000;
const SETTLE_MS = 120_000;

/** R10: an Elasticsearch that asks to be spared, politely or not. */
export const throttling: Row = defineRow<Sizes>({
  id: 'R10',
  fault: '429 at 50 a second; Retry-After in every form',
  sizes: {
    full: { workers: 3, settlingMs: 30_000, measuredMs: 30_000, waitSeconds: 8, abreast: 1 },
    short: { workers: 2, settlingMs: 15_000, measuredMs: 8_000, waitSeconds: 4, abreast: 3 },
  },
  async run(context, sizes) {
    const wait = sizes.waitSeconds;
    const headers: readonly Header[] = [
      { name: 'seconds', value: wait, isHonoured: true },
      { name: 'date', value: `date:${wait}`, isHonoured: true },
      { name: 'negative', value: '-1', isHonoured: false },
      { name: 'garbage', value: 'soon, I hope', isHonoured: false },
      { name: '10^12', value: ENDLESS, isHonoured: false },
    ];
    context.say('429 storm');
    return [
      ...(await storm(context, sizes)),
      ...(await runAbreast(headers, sizes.abreast, async (header) => {
        context.say(`Retry-After: ${header.name}`);
        return named(header.name, await retryAfter(context, sizes, header));
      })),
    ];
  },
});

async function storm(context: RowContext, { workers, settlingMs, measuredMs }: Sizes): Promise<Finding[]> {
  await using stage = await openStage(context, { workers });
  const count = ((settlingMs + measuredMs) / 1_000) * LIMIT_PER_SECOND * 1.4;
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
  { value, isHonoured }: Header,
): Promise<Finding[]> {
  await using stage = await openStage(context, { workers });
  const reports = makeReports('spared', (waitSeconds + 2) * INFLOW_PER_SECOND);
  stage.putSyncJobsOf(reports);
  await stage.fleet.start();
  const inflow = stage.producer.inflow(reports, INFLOW_PER_SECOND);
  await sleep(500);
  stage.standIn.faults.add({ kind: 'status', status: 429, retryAfter: value, count: 1 });
  await inflow;
  const isPatient = value === ENDLESS;
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
