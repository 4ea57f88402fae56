import { finding } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { shuffled } from '../seeded.ts';
import { type OracleReport, openProducer, type Producer } from '../stage/producer.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const SETTLE_MS = 60_000;

async function handIn(stage: Stage, { relay }: Producer, batch: readonly OracleReport[]): Promise<void> {
  const results = await relay.reportMany(
    batch.map(({ syncJobId, error }) => ({ connector_sync_job_id: syncJobId, error })),
  );
  results.forEach((result, index) => {
    const report = batch[index];
    if (report !== undefined) stage.producer.note(report, result);
  });
}

/** R16: the same report from everywhere at once. */
export const duplicates: Row = defineRow({
  id: 'R16',
  fault: 'the same report 100 times in parallel from 10 producers',
  sizes: {
    full: { reports: 50, times: 100, producers: 10 },
    short: { reports: 5, times: 100, producers: 10 },
  },
  async run(context, { reports: count, times, producers: size }) {
    await using stage = await openStage(context, { workers: 2 });
    await using parts = new AsyncDisposableStack();
    const producers = await Promise.all(
      Array.from({ length: size }, async () =>
        parts.use(await openProducer({ seed: context.seed, redis: stage.redis, env: stage.env })),
      ),
    );
    const reports = makeReports('same', count);
    stage.putSyncJobsOf(reports);
    // Nobody works yet, so that every report is still on its way when it comes again.
    const random = stage.random('order');
    await Promise.all(
      Array.from({ length: times }, async (_, n) => {
        const producer = producers[n % size];
        if (producer === undefined) return;
        const inOrder = shuffled(reports, random);
        // Half of them come one by one, half all at once, and so in bundles that overlap.
        const batches = n % 2 === 0 ? inOrder.map((report) => [report]) : [inOrder];
        await Promise.all(batches.map((batch) => handIn(stage, producer, batch)));
      }),
    );
    await stage.fleet.start();
    await stage.settle(SETTLE_MS);

    const evidence = await stage.evidence();
    const exact = evidence.reports.filter(
      ({ queued, duplicate }) => queued === 1 && duplicate === times - 1,
    ).length;
    return [
      ...commonFindings(evidence),
      finding(
        'duplicates',
        exact === count,
        `${exact} of ${count} reports told new once and duplicate ${times - 1} times`,
        'all',
      ),
    ];
  },
});
