import type { Job, JobJson, JobsOptions } from 'bullmq';
import { type JobHistory, NO_HISTORY } from '../../domain/job.ts';
import { isLineage } from '../../domain/lineage.ts';
import type { Payload, QueuedJob } from '../../pipeline/ports.ts';
import { isCostlyJson } from './is-costly-json.ts';

/** Reads what BullMQ hands over into our own words; whatever a foreign producer wrote must not throw here. */
export function toQueuedJob(job: Job): QueuedJob {
  return {
    id: job.id ?? '',
    payload: payloadOf(job),
    attempt: countOf(job.attemptsMade) + 1,
    // BullMQ counts the start that is under way.
    earlierStarts: Math.max(0, countOf(job.attemptsStarted) - 1),
    enqueuedAtMs: timeOf(job.timestamp),
    history: historyOf(job.progress),
    crashes: countOf(job.stalledCounter),
    ...traceOf(job),
  };
}

/** The longest context that is read, in characters; W3C's own limits are well below. */
const MAX_TRACE_LENGTH = 2_048;

function traceOf(job: Job): { readonly trace?: string } {
  const written: unknown = job.opts?.telemetry?.metadata;
  return typeof written === 'string' && written.length <= MAX_TRACE_LENGTH ? { trace: written } : {};
}

/** A payload that could not, or should not, be parsed, kept as it was found. */
class UnreadablePayload {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function payloadOf(job: Job): Payload {
  const data: unknown = job.data;
  return data instanceof UnreadablePayload
    ? { kind: 'text', text: data.text }
    : { kind: 'json', value: data };
}

/** A counter as BullMQ keeps it, or 0 where it is none. */
export function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** The last moment that a Date can hold. */
const LAST_MOMENT_MS = 8.64e15;

/** A time as BullMQ keeps it; where a foreign producer wrote none, the report counts as accepted now. */
export function timeOf(value: unknown): number {
  const timeMs = countOf(value);
  return timeMs > 0 && timeMs <= LAST_MOMENT_MS ? timeMs : Date.now();
}

/** The history that a worker of ours, or a redrive, left in a job's progress, or an empty one. */
export function historyOf(progress: unknown): JobHistory {
  const isHistory =
    isObject(progress) &&
    Array.isArray(progress['attempts']) &&
    progress['attempts'].every(isObject) &&
    isLineage(progress);
  return isHistory ? (progress as unknown as JobHistory) : NO_HISTORY;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Attempts and backoff are decided by the outcome; BullMQ only has to never end a job by itself. */
const WORKER_OWNED_OPTIONS = {
  attempts: Number.MAX_SAFE_INTEGER,
  backoff: { type: 'outcome' },
  // A settled job leaves nothing behind: what must be remembered is a dead letter.
  removeOnComplete: true,
  // A job that BullMQ fails by itself stays until the sweep has made it a dead letter.
  removeOnFail: false,
  stackTraceLimit: 1,
} as const;

/**
 * Builds a job so that nothing in it can harm the worker:
 *
 * 1. Its options are the worker's, whatever the producer set: a client in another language that knows
 *    nothing of retries gets the same as any other.
 * 2. A payload that is not JSON becomes a dead letter. By itself BullMQ would hand the job out for ever,
 *    because it parses before anything can fail the job. One that would take all memory when it is parsed, and has
 *    more in it than any of ours, is not parsed at all.
 * 3. A job that BullMQ has marked to be failed unseen is handed to us like any other. Whether it kills its
 *    worker is found out by trying it alone, and no mark of another worker's makes a report poison.
 * 4. A rule to repeat it is left out: a report is told once, and a broken rule would keep the job from us.
 */
export function buildJob(create: (json: JobJson) => Job, json: JobJson): Job {
  const job = createTolerantly(create, isOrdinary(json) ? json : withoutMarks(json));
  job.opts = { ...job.opts, ...WORKER_OWNED_OPTIONS };
  return job;
}

/** Whether there is nothing to leave out, as with every job of ours: to copy it would cost more than to read it. */
function isOrdinary({ deferredFailure, repeatJobKey, opts }: JobJson): boolean {
  return (
    deferredFailure === undefined &&
    repeatJobKey === undefined &&
    typeof opts === 'object' &&
    opts !== null &&
    !('repeat' in opts || 'repeatJobKey' in opts)
  );
}

function withoutMarks(json: JobJson): JobJson {
  const { deferredFailure: _mark, repeatJobKey: _key, opts, ...rest } = json;
  const { repeat: _rule, repeatJobKey: _sameKey, ...options } = opts as JobsOptions & Repetition;
  return { ...rest, opts: options };
}

/** What a job scheduler leaves in a job's options. */
interface Repetition {
  readonly repeat?: unknown;
  readonly repeatJobKey?: unknown;
}

function createTolerantly(create: (json: JobJson) => Job, json: JobJson): Job {
  // A worker that died of parsing it could note nothing of the job before.
  if (isCostlyJson(String(json.data))) return createUnread(create, json);
  try {
    return create(json);
  } catch {
    return createUnread(create, json);
  }
}

function createUnread(create: (json: JobJson) => Job, json: JobJson): Job {
  const job = create({ ...json, data: 'null' });
  job.data = new UnreadablePayload(String(json.data));
  return job;
}
