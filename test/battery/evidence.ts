/** The evidence of a small run in which everything went well: one report applied, one a dead letter. */
import type { Evidence } from '../../battery/judge/evidence.ts';
import type { Acknowledged, Ending } from '../../battery/stage/producer.ts';
import type { LogLine } from '../../battery/stage/worker-process.ts';

/** A report that was acknowledged; its job is called after its sync job. */
export function report(syncJobId: string, ending: Ending, error = `Error of ${syncJobId}`): Acknowledged {
  return { syncJobId, error, ending, jobId: `r-${syncJobId}`, atMs: 0, queued: 1, duplicate: 0 };
}

/** A line of a worker's log. */
export function line(
  msg: string,
  about: {
    readonly slot?: number;
    readonly atMs: number;
    readonly syncJobId?: string;
    readonly type?: string;
    readonly code?: string;
  },
): LogLine {
  const { slot = 0, atMs, syncJobId, type, code } = about;
  return {
    slot,
    incarnation: 0,
    atMs,
    level: 'info',
    msg,
    fields: {
      ...(syncJobId === undefined ? {} : { id: `r-${syncJobId}`, connector_sync_job_id: syncJobId }),
      ...(type === undefined ? {} : { type }),
      ...(code === undefined ? {} : { code }),
    },
  };
}

/** The evidence, with what a test changes. */
export function evidence(changes: Partial<Evidence>): Evidence {
  const request = { method: 'PUT', bytesBack: 100, atMs: 1_000, endedAtMs: 1_010 };
  return {
    reports: [report('applied', 'applied'), report('gone', { dead: 'sync_job_not_found' })],
    unacknowledged: [],
    syncJobs: new Map([['applied', { status: 'error', error: 'Error of applied' }]]),
    scenery: new Map(),
    stateChanges: new Map([['applied', 1]]),
    brokenAnswers: new Map(),
    letters: [
      {
        id: 'd-r-gone',
        code: 'sync_job_not_found',
        report: { connector_sync_job_id: 'gone', error: 'Error of gone' },
      },
    ],
    letterCounts: { sync_job_not_found: 1 },
    letterTotal: 1,
    depth: 0,
    jobsInRedis: new Set(),
    otherKeys: 3,
    exchanges: [
      { slot: 0, exchange: { ...request, path: '/_connector/_sync_job/applied/_error', status: 200 } },
      { slot: 0, exchange: { ...request, path: '/_connector/_sync_job/gone/_error', status: 404 } },
    ],
    lines: [
      line('report applied', { atMs: 1_011, syncJobId: 'applied', code: 'applied' }),
      line('report is a dead letter', { atMs: 1_012, syncJobId: 'gone', code: 'sync_job_not_found' }),
    ],
    settled: [{ slot: 0, incarnation: 0, counts: { applied: 1, sync_job_not_found: 1 } }],
    workers: [{ slot: 0, incarnation: 0, killedAtMs: undefined, exitCode: 0, peakRssMiB: 100 }],
    concurrency: 50,
    peakInFlight: 2,
    secretsFound: [],
    ...changes,
  };
}
