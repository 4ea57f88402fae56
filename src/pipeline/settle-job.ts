import { describeProblems, type ParsedReport, type ParseErrorReport } from '../domain/error-report.ts';
import type { Verdict } from '../domain/verdict.ts';
import { buryReport } from './bury-report.ts';
import { isolation } from './isolate.ts';
import type { AttemptResult, Payload, QueuedJob, SettleJob } from './ports.ts';
import { type AttemptContext, runAttempt } from './run-attempt.ts';
import type { Slots } from './slots.ts';
import { turns } from './take-turns.ts';

/** What is remembered of jobs that a worker died on. */
export interface Suspects {
  /** How often a suspect was tried, since it last survived. */
  trials(jobId: string): Promise<number>;
  /** Notes that a suspect is about to be tried. */
  noteTrial(jobId: string): Promise<void>;
  /** Forgets that it was suspected: it was tried and nobody died. */
  clear(jobId: string): Promise<void>;
}

export interface SettleContext extends AttemptContext {
  readonly suspects: Suspects;
  /** Where attempts wait until no more are under way than may be; several are in a bundle. */
  readonly slots: Pick<Slots, 'take' | 'giveBack'>;
  /** How often workers may die on a job before it is given up as poison. */
  readonly maxCrashes: number;
}

/**
 * Makes the function that a worker calls for every job:
 *
 * 1. What is in the queue comes from outside, so the payload is parsed like any other input. What is not a
 *    report becomes a dead letter and no request is made.
 * 2. A job that was under way when a worker died is suspect, and each trial of it is counted before it begins.
 *    After one death it is tried beside others, because workers are killed for many reasons; after two it is
 *    tried alone: the one that kills is found out, and its neighbours are not taken for it. A trial begins
 *    behind the gate; what dies while it waits there dies of something else.
 * 3. Anything else is attempted, one report at a time for each sync job.
 */
export function jobSettler(parse: ParseErrorReport, context: SettleContext): SettleJob {
  const ofSyncJob = turns();
  const { enter, leave, alone } = isolation();
  const { suspects, slots, maxCrashes } = context;

  return async (job, signal) => {
    if (job.crashes > 1) return alone(() => settleSuspect(job, signal));
    // Nearly always there is nothing to wait for, and each wait costs every report.
    const others = enter();
    if (others !== undefined) await others;
    try {
      return await (job.crashes === 0 ? settle(job, context, signal) : settleSuspect(job, signal));
    } finally {
      leave();
    }
  };

  async function settle(job: QueuedJob, within: AttemptContext, signal: AbortSignal): Promise<AttemptResult> {
    const parsed = parsePayload(job.payload, parse);
    if (parsed.kind === 'invalid') return bury(job, parsed, 'invalid_report', context);
    const { report } = parsed;
    await slots.take(job.enqueuedAtMs);
    try {
      // While it waited for a place the worker may have been told to stop.
      if (signal.aborted) return { outcome: { kind: 'hand-back' }, history: job.history };
      const earlier = ofSyncJob.take(report.connector_sync_job_id, job.enqueuedAtMs);
      if (earlier !== undefined) await earlier;
      try {
        return await runAttempt(job, report, within, signal);
      } finally {
        ofSyncJob.giveBack(report.connector_sync_job_id);
      }
    } finally {
      slots.giveBack();
    }
  }

  async function settleSuspect(job: QueuedJob, signal: AbortSignal): Promise<AttemptResult> {
    // The first crash was not a trial: the job was one of many then.
    const crashes = 1 + (await suspects.trials(job.id));
    if (crashes >= maxCrashes) return bury(job, parsePayload(job.payload, parse), 'poison', context);
    let wasTried = false;
    const enter = async (until: AbortSignal): Promise<'go' | 'interrupted'> => {
      const passed = await context.gate.enter(until);
      if (passed === 'interrupted') return passed;
      await suspects.noteTrial(job.id).catch((error: unknown) => {
        // Who has entered has to be noted, also where nothing comes of it.
        context.gate.note({ attempt: job.attempt, verdict: INTERRUPTED, latencyMs: 0, retryAfterMs: 0 });
        throw error;
      });
      wasTried = true;
      return passed;
    };
    const result = await settle(job, { ...context, gate: { ...context.gate, enter } }, signal);
    if (wasTried && !isOver(result)) await suspects.clear(job.id);
    return result;
  }
}

const INTERRUPTED: Verdict = { kind: 'interrupted', circuit: 'neutral' };

/** Whether the job goes away with all that was noted of it. */
function isOver({ outcome }: AttemptResult): boolean {
  return outcome.kind === 'applied' || outcome.kind === 'already-applied' || outcome.kind === 'dead-letter';
}

/** Reads a payload as it lies in the queue. */
export function parsePayload(payload: Payload, parse: ParseErrorReport): ParsedReport {
  if (payload.kind === 'json') return parse(payload.value);
  return {
    kind: 'invalid',
    problems: [
      {
        field: '',
        expected: 'a JSON object',
        got: `text that is not JSON, or has far more parts than a report (${payload.text.length} characters)`,
      },
    ],
  };
}

async function bury(
  job: QueuedJob,
  parsed: ParsedReport,
  code: 'poison' | 'invalid_report',
  context: AttemptContext,
): Promise<AttemptResult> {
  const written = await buryReport(
    job,
    {
      code,
      // The attempt that is beginning is not made.
      attempts_made: job.attempt - 1,
      history: job.history,
      content:
        parsed.kind === 'valid'
          ? { kind: 'report', report: parsed.report }
          : { kind: 'payload', problems: parsed.problems },
    },
    context.deadLetters,
    { nowMs: context.now(), worker: context.worker },
  );
  return {
    outcome: { kind: 'dead-letter', code },
    history: job.history,
    ...(parsed.kind === 'invalid' ? { answer: { reason: describeProblems(parsed.problems) } } : {}),
    letterWasPresent: written === 'present',
  };
}
