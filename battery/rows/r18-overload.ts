import { type Finding, finding, round } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { makeReports } from './reports.ts';
import { defineRow, type Row } from './row.ts';

const MOST_BYTES_A_REPORT = 2_048;
const SETTLE_MS = 400_000;

/** R18, by way of the queue: far more comes in than goes out. */
export const overload: Row = defineRow({
  id: 'R18',
  fault: 'overload: 20 times the inflow, by the library',
  sizes: {
    full: { workers: 2, usualPerSecond: 100, times: 20, forMs: 60_000 },
    short: { workers: 2, usualPerSecond: 25, times: 20, forMs: 8_000 },
  },
  async run(context, { workers, usualPerSecond, times, forMs }) {
    await using stage = await openStage(context, { workers });
    const usual = makeReports('usual', usualPerSecond * 3);
    stage.putSyncJobsOf(usual);
    await stage.fleet.start();
    await stage.producer.inflow(usual, usualPerSecond);
    await stage.settle(SETTLE_MS);
    const before = await memoryOf(stage);

    // Elasticsearch answers as fast as the usual inflow needs, and no faster.
    const latencyMs = 400;
    stage.standIn.faults.add({ kind: 'latency', latency: { distribution: 'fixed', ms: latencyMs }, forMs });
    const flood = makeReports('flood', (usualPerSecond * times * forMs) / 1_000);
    stage.putSyncJobsOf(flood);
    await stage.producer.inflow(flood, usualPerSecond * times);
    const peak = await memoryOf(stage);
    await stage.settle(SETTLE_MS);
    const after = await memoryOf(stage);
    return [...commonFindings(await stage.evidence()), memory(before, peak, after)];
  },
});

interface Memory {
  readonly bytes: number;
  readonly jobs: number;
}

async function memoryOf({ redis: { client }, env }: Stage): Promise<Memory> {
  const used = /^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1];
  const prefix = `${env['KEY_PREFIX']}:reports`;
  const sizes = await Promise.all([
    client.llen(`${prefix}:wait`),
    client.llen(`${prefix}:active`),
    client.zcard(`${prefix}:delayed`),
    client.zcard(`${prefix}:prioritized`),
  ]);
  return { bytes: Number(used), jobs: sizes.reduce((sum, size) => sum + size, 0) };
}

function memory(before: Memory, peak: Memory, after: Memory): Finding {
  const perReport = peak.jobs === 0 ? 0 : (peak.bytes - before.bytes) / peak.jobs;
  const left = after.bytes - before.bytes;
  return finding(
    'Redis in proportion',
    perReport <= MOST_BYTES_A_REPORT && left < 8 * 2 ** 20,
    `${round(perReport)} bytes a waiting report at ${peak.jobs.toLocaleString('en')}, ${round(left / 1_024)} KiB more than before when all is done`,
    `at most ${MOST_BYTES_A_REPORT} bytes, and back to the start`,
  );
}
