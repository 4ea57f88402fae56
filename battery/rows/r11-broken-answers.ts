import { type Finding, finding, round } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import type { Exchange } from '../stage/fault.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, named, type Row, type RowContext, runAbreast } from './row.ts';

interface Sizes {
  readonly reports: number;
  readonly workers: number;
  readonly inflowMs: number;
}

/** A way in which an answer breaks, and how often a report may be sent because of it. */
interface Way {
  readonly name: string;
  readonly strike: (stage: Stage, sizes: Sizes) => void;
  /** Whether the work was done although the answer broke: then the read-back settles it. */
  readonly isApplied: boolean;
}

const HUGE_BYTES = 10 * 1024 * 1024;
const MOST_READ_BYTES = 1_048_576;
/** The queue's own traffic and the read-back, for one report. */
const OTHER_BYTES = 65_536;
const SETTLE_MS = 180_000;

/** Strikes the first request for each sync job. */
function firstOfEach(): (exchange: Exchange) => boolean {
  const struck = new Set<string>();
  return ({ method, path }) => {
    const asked = askedOf(method, path);
    if (asked?.kind !== 'set' || struck.has(asked.syncJobId)) return false;
    struck.add(asked.syncJobId);
    return true;
  };
}

const WAYS: readonly Way[] = [
  {
    name: 'lost',
    isApplied: true,
    strike: ({ fleet }) => {
      const matches = firstOfEach();
      for (const { elasticsearch } of fleet.slots)
        elasticsearch.strike({ kind: 'drop-response' }, { matches });
    },
  },
  {
    name: 'cut',
    isApplied: true,
    strike: ({ fleet, random }) => {
      const chance = random('cut');
      const matches = firstOfEach();
      // Anywhere from the status line to the last byte of the body.
      const lengths = [5, 17, 60, 100, 140, 150];
      for (const { elasticsearch } of fleet.slots) {
        const mayStrike = new WeakMap<Exchange, number>();
        const lengthOf = (exchange: Exchange): number => {
          const known = mayStrike.get(exchange);
          if (known !== undefined) return known;
          const afterBytes = matches(exchange) ? (lengths[Math.floor(chance() * lengths.length)] ?? 5) : 0;
          mayStrike.set(exchange, afterBytes);
          return afterBytes;
        };
        for (const afterBytes of lengths) {
          elasticsearch.strike(
            { kind: 'cut', afterBytes },
            { matches: (exchange) => lengthOf(exchange) === afterBytes },
          );
        }
      }
    },
  },
  {
    name: 'wrong length',
    isApplied: true,
    strike: ({ standIn }, { reports }) =>
      void standIn.faults.add({
        kind: 'wrong-content-length',
        difference: 7,
        method: 'PUT',
        count: reports,
      }),
  },
  {
    name: '200 with HTML',
    isApplied: false,
    strike: ({ standIn }, { inflowMs }) =>
      void standIn.faults.add({ kind: 'html', method: 'PUT', forMs: inflowMs }),
  },
  {
    name: '10 MB body',
    isApplied: true,
    strike: ({ standIn }, { reports }) =>
      void standIn.faults.add({ kind: 'huge-body', bytes: HUGE_BYTES, method: 'PUT', count: reports }),
  },
];

/** R11: answers that break on their way back. */
export const brokenAnswers: Row = defineRow<Sizes>({
  id: 'R11',
  fault: 'response lost, cut, of a wrong length, HTML, 10 MB',
  sizes: {
    full: { reports: 1_000, workers: 2, inflowMs: 10_000 },
    short: { reports: 100, workers: 1, inflowMs: 2_000 },
  },
  async run(context, sizes) {
    return runAbreast(WAYS, 1, async (way) => {
      context.say(way.name);
      return named(way.name, await runWay(context, sizes, way));
    });
  },
});

async function runWay(context: RowContext, sizes: Sizes, way: Way): Promise<readonly Finding[]> {
  await using stage = await openStage(context, { workers: sizes.workers });
  const reports = makeReports('broken', sizes.reports);
  stage.putSyncJobsOf(reports);
  await stage.fleet.start();
  const readBefore = bytesRead(stage);
  way.strike(stage, sizes);
  await stage.producer.inflow(reports, (sizes.reports / sizes.inflowMs) * 1_000);
  await stage.settle(SETTLE_MS);
  const readMeanwhile = bytesRead(stage) - readBefore;
  const evidence = await stage.evidence();

  const sets = new Map<string, number>();
  const reads = new Map<string, number>();
  for (const { exchange } of evidence.exchanges) {
    const asked = askedOf(exchange.method, exchange.path);
    if (asked === undefined) continue;
    const counts = asked.kind === 'set' ? sets : reads;
    counts.set(asked.syncJobId, (counts.get(asked.syncJobId) ?? 0) + 1);
  }
  const mostSets = Math.max(0, ...sets.values());
  const mostReads = Math.max(0, ...reads.values());
  const struck = evidence.exchanges.filter(({ exchange }) => exchange.fault !== undefined).length;
  const ledgered = [...stage.standIn.ledger.entries()].filter(({ fault }) => fault !== undefined).length;
  return [
    ...commonFindings(evidence),
    finding(
      'requests',
      (!way.isApplied || (mostSets <= 2 && mostReads <= 1)) && struck + ledgered > 0,
      `at most ${mostSets} PUT and ${mostReads} GET a report, ${struck + ledgered} broken answers${way.isApplied ? '' : ' (nothing was done by them, so that the report is sent again)'}`,
      'at most 2 PUT and 1 GET',
    ),
    ...(way.name === '10 MB body' ? [cappedBody(readMeanwhile / sizes.reports)] : []),
  ];
}

const bytesRead = ({ fleet }: Stage): number =>
  fleet.workers.reduce((sum, worker) => sum + worker.bytesRead(), 0);

/** Taken from what the process has read, for the system's own buffers fill up whether anybody reads or not. */
function cappedBody(bytesAReport: number): Finding {
  return finding(
    'body capped',
    bytesAReport <= MOST_READ_BYTES + OTHER_BYTES,
    `${round(bytesAReport / 1_024)} KiB read for each report answered with ${HUGE_BYTES / 2 ** 20} MiB`,
    `at most ${(MOST_READ_BYTES + OTHER_BYTES) / 1_024} KiB`,
  );
}
