import { type Check, ok, warning } from './diagnosis.ts';
import type { QueueDepth } from './ports.ts';

/** How the queue stands, and who works on it. */
export interface QueueState {
  readonly depth: QueueDepth;
  /** Jobs that the queue itself has failed and no worker has swept up yet. */
  readonly failedJobs: number;
  /** Names of the workers that are connected; undefined where Redis does not say. */
  readonly workers: readonly string[] | undefined;
}

/** A report that can be taken at once and was not for so long is nobody's backlog. */
const LONG_WAIT_MS = 60_000;

/** Workers that are named; the others are counted. */
const MAX_NAMED = 5;

/** Judges how the queue stands. */
export function diagnoseQueue(state: QueueState): Check[] {
  return [judgePause(state), judgeWaiting(state), judgeFailed(state), judgeWorkers(state)];
}

function judgePause({ depth: { paused, pause } }: QueueState): Check {
  const name = 'queue';
  if (!paused) return ok(name, 'not paused');
  const who = pause === undefined ? 'and nobody has left a note' : `by ${pause.by} since ${pause.at}`;
  const reason = pause?.reason === undefined ? '' : `: ${pause.reason}`;
  return warning(name, `paused ${who}${reason}`, 'sync-error-relay resume, when the reason is over.');
}

function judgeWaiting({ depth, workers }: QueueState): Check {
  const name = 'queue_depth';
  const { waiting, active, delayed, oldestWaitingMs } = depth;
  const oldest = waiting === 0 ? '' : `, the oldest for ${Math.round(oldestWaitingMs / 1_000)} s`;
  const detail = `${waiting} waiting${oldest}; ${active} active, ${delayed} delayed`;
  if (oldestWaitingMs < LONG_WAIT_MS || depth.paused) return ok(name, detail);
  const advice =
    workers?.length === 0
      ? 'Start a worker: sync-error-relay work.'
      : 'See the workers’ logs and /readyz: they are too few, or Elasticsearch is slow or away.';
  return warning(name, detail, advice);
}

function judgeFailed({ failedJobs }: QueueState): Check {
  const name = 'failed_jobs';
  if (failedJobs === 0) return ok(name, 'none');
  return warning(
    name,
    `${failedJobs} that the queue has failed by itself`,
    'A running worker makes dead letters of them every SWEEP_INTERVAL_MS; if they stay, see its log.',
  );
}

function judgeWorkers({ workers }: QueueState): Check {
  const name = 'workers';
  if (workers === undefined) return ok(name, 'not shown by this Redis');
  if (workers.length === 0) {
    return warning(name, 'none is connected, so no report is sent', 'Start one: sync-error-relay work.');
  }
  const named = workers.slice(0, MAX_NAMED).join(', ');
  const rest = workers.length > MAX_NAMED ? ` and ${workers.length - MAX_NAMED} more` : '';
  return ok(name, `${workers.length} connected: ${named}${rest}`);
}
