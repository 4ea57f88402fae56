/**
 * The demo, from the files to the figures:
 *
 * 1. The sync jobs are loaded into the stand-in, and their states noted.
 * 2. Every line of the failures is enqueued, while the worker applies what is there.
 * 3. When nothing is left to settle, each queued report is looked up among the outcomes that the worker
 *    told, and each sync job is compared with what the reports demand.
 *
 * The figures are counted from what was seen to happen, never from what should have.
 */
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeadLetterCode } from '../../domain/codes.ts';
import { errorReportParser } from '../../domain/error-report.ts';
import type { EnqueueResult } from '../../pipeline/enqueue-reports.ts';
import { lineParser, maxLineBytes } from '../../pipeline/parse-line.ts';
import type { AttemptEvent } from '../../pipeline/ports.ts';
import { type InputLine, readLines } from '../../pipeline/read-lines.ts';
import type { StandIn } from '../../stand-in/index.ts';
import type { EmbeddedStack } from '../embedded-stack.ts';
import { loadSyncJobFile } from '../load-sync-job-file.ts';
import { perSecond } from '../output.ts';
import { type SyncJobState, stateOf, type WrongSyncJob, wrongSyncJobs } from './verify-sync-jobs.ts';

/** The figures of a run, named as `--json` prints them. */
export interface DemoFigures {
  /** Lines that were not blank. */
  readonly lines: number;
  readonly queued: number;
  readonly duplicate: number;
  readonly invalid: number;
  readonly applied: number;
  readonly already_applied: number;
  readonly dead_letters: Readonly<Partial<Record<DeadLetterCode, number>>>;
  /** Accepted reports that neither were applied nor are among the dead letters. */
  readonly unaccounted: number;
  /** Sync jobs whose final state is not what the reports demand. */
  readonly wrong: number;
  /** From the first line to the last outcome. */
  readonly duration_ms: number;
  readonly reports_per_second: number;
}

export interface DemoRun {
  readonly figures: DemoFigures;
  readonly syncJobs: number;
  readonly wrong: readonly WrongSyncJob[];
}

export interface DemoFiles {
  readonly syncJobs: string;
  readonly failures: string;
}

/** What a run tells while it goes on. */
export interface DemoProgress {
  /** How many reports are settled, and of how many known so far. */
  update(settled: number, queued: number): void;
}

/** How long nothing may happen before what is left counts as unaccounted for. */
const SILENCE_MS = 60_000;

/** Counts what the worker tells; made before the worker, which it listens to. */
export class Outcomes {
  applied = 0;
  alreadyApplied = 0;
  /** Letters written, each counted once. */
  letters = 0;
  /** Letters that were there before: the report had died already. */
  repeatedLetters = 0;
  lastAtMs = 0;

  readonly observe = ({ result }: AttemptEvent): void => {
    this.lastAtMs = performance.now();
    switch (result.outcome.kind) {
      case 'applied':
        this.applied += 1;
        return;
      case 'already-applied':
        this.alreadyApplied += 1;
        return;
      case 'dead-letter':
        if (result.letterWasPresent === true) this.repeatedLetters += 1;
        else this.letters += 1;
        return;
      case 'retry':
      case 'snooze':
      case 'hand-back':
        return;
    }
  };

  get settled(): number {
    return this.applied + this.alreadyApplied + this.letters + this.repeatedLetters;
  }
}

/**
 * Runs the demo on a stack that is its own.
 *
 * @throws {CliFailure} where a file cannot be read, or naming the lines that are no sync jobs
 * @throws {RedisUnavailable}
 */
export async function runDemo(
  stack: EmbeddedStack,
  outcomes: Outcomes,
  files: DemoFiles,
  progress: DemoProgress,
): Promise<DemoRun> {
  const { standIn, relay } = stack;
  const before = await loadSyncJobs(standIn, files.syncJobs);

  const startedAtMs = performance.now();
  const enqueued = await enqueueFailures(stack, files.failures, () => progress.update(outcomes.settled, 0));
  await quiet(outcomes, enqueued.queued, startedAtMs, progress);
  const durationMs = Math.max(outcomes.lastAtMs, startedAtMs) - startedAtMs;

  const wrong = wrongSyncJobs(before, enqueued.firstErrors, standIn.syncJobs());
  const deadLetters = await relay.deadLetters.counts();
  const kept = Object.values(deadLetters).reduce((sum, count) => sum + count, 0);
  // A letter that was told and is not kept is as lost as a report that nothing was told of.
  const found = outcomes.applied + outcomes.alreadyApplied + outcomes.repeatedLetters + kept;
  return {
    figures: {
      lines: enqueued.lines,
      queued: enqueued.queued,
      duplicate: enqueued.duplicate,
      invalid: enqueued.invalid,
      applied: outcomes.applied,
      already_applied: outcomes.alreadyApplied,
      dead_letters: deadLetters,
      unaccounted: Math.abs(enqueued.queued - found),
      wrong: wrong.length,
      duration_ms: Math.round(durationMs),
      reports_per_second: perSecond(outcomes.settled, durationMs),
    },
    syncJobs: before.size,
    wrong,
  };
}

async function loadSyncJobs(standIn: StandIn, path: string): Promise<ReadonlyMap<string, SyncJobState>> {
  await loadSyncJobFile(standIn, path);
  return new Map(Array.from(standIn.syncJobs(), (document) => [document.id, stateOf(document)]));
}

interface Enqueued {
  readonly lines: number;
  readonly queued: number;
  readonly duplicate: number;
  readonly invalid: number;
  readonly firstErrors: ReadonlyMap<string, string>;
}

async function enqueueFailures(
  { config, relay }: EmbeddedStack,
  path: string,
  onChunk: () => void,
): Promise<Enqueued> {
  const parse = lineParser(errorReportParser(config.reports));
  const firstErrors = new Map<string, string>();
  const counts: Record<EnqueueResult['status'], number> = { queued: 0, duplicate: 0, invalid: 0 };
  const parseAndNote = (line: InputLine): ReturnType<typeof parse> => {
    const parsed = parse(line);
    if (parsed.kind === 'valid') {
      const { connector_sync_job_id: id, error } = parsed.report;
      if (!firstErrors.has(id)) firstErrors.set(id, error);
    }
    return parsed;
  };
  const lines = readLines(createReadStream(path), maxLineBytes(config.reports));
  let count = 0;
  for await (const { status } of relay.reportEach(lines, parseAndNote)) {
    counts[status] += 1;
    count += 1;
    if (count % 100 === 0) onChunk();
  }
  return { lines: count, ...counts, firstErrors };
}

/** Waits until every queued report is settled, or nothing has happened for a long time. */
async function quiet(
  outcomes: Outcomes,
  queued: number,
  startedAtMs: number,
  progress: DemoProgress,
): Promise<void> {
  while (outcomes.settled < queued) {
    progress.update(outcomes.settled, queued);
    if (performance.now() - Math.max(outcomes.lastAtMs, startedAtMs) > SILENCE_MS) return;
    await sleep(20);
  }
  progress.update(outcomes.settled, queued);
}
