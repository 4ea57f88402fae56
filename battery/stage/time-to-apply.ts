import { setTimeout as sleep } from 'node:timers/promises';
import type { OracleReport } from './producer.ts';
import type { Stage } from './stage.ts';

const PATIENCE_MS = 60_000;

/**
 * Hands reports in, and waits until all of them are applied.
 *
 * @returns milliseconds; undefined where a minute was not enough
 */
export async function timeToApply(
  stage: Stage,
  reports: readonly OracleReport[],
  handIn: (reports: readonly OracleReport[]) => Promise<void> = stage.producer.report,
): Promise<number | undefined> {
  stage.putSyncJobsOf(reports);
  const startedAtMs = performance.now();
  await handIn(reports);
  while (performance.now() - startedAtMs < PATIENCE_MS) {
    const isApplied = reports.every(({ syncJobId }) => stage.standIn.syncJob(syncJobId)?.status === 'error');
    if (isApplied) return performance.now() - startedAtMs;
    await sleep(10);
  }
  return undefined;
}
