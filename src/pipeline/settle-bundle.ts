import type { Bundled } from '../domain/bundle.ts';
import { type JobHistory, NO_HISTORY } from '../domain/job.ts';
import type { Arrival } from './arrivals.ts';
import type { AttemptEvent, AttemptResult, ObserveAttempt, QueuedJob, SettleJob } from './ports.ts';

/** A bundle as the queue hands it over. */
export interface QueuedBundle {
  readonly id: string;
  readonly reports: readonly Bundled[];
  /** How often it was under way when its worker died or was cut off. */
  readonly crashes: number;
}

/** A report on its way out of a bundle, to go on as a job of its own. */
export interface TakenOut {
  readonly report: Bundled;
  /** Attempts used up. */
  readonly attemptsMade: number;
  /** How often it was fetched, in the bundle and before. */
  readonly starts: number;
  /** How often its worker died on it. */
  readonly crashes: number;
  readonly history: JobHistory;
  /** How long it waits, in milliseconds; 0: it goes to the head of the queue. */
  readonly delayMs: number;
}

/** What the queue knows of the reports in bundles. */
export interface Bundles {
  /** Which of these reports, in their order, are still to be settled with this bundle. */
  pending(bundleId: string, reportIds: readonly string[]): Promise<readonly boolean[]>;
  /**
   * Makes reports jobs of their own, in one step with their leaving the bundle. One that has left it already, by the
   * hand of another worker, is passed over.
   */
  takeOut(bundleId: string, reports: readonly TakenOut[]): Promise<void>;
  /** Notes that reports were settled; with the last of them the bundle is. Repeating it changes nothing. */
  noteSettled(bundleId: string, reportIds: readonly string[], isLast: boolean): Promise<void>;
  /**
   * Forgets the reports of bundles that somebody has taken out of the queue by other means, and says of which: they
   * would count as waiting for ever.
   */
  forgetGone(): Promise<readonly string[]>;
}

export interface BundleContext {
  readonly settle: SettleJob;
  readonly bundles: Bundles;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Does work once after so many milliseconds, unless what it gives back is called before. */
  readonly later: (ms: number, work: () => void) => () => void;
  /** Is told of every attempt once the queue has taken note of it. */
  readonly observe: ObserveAttempt;
  /** Lets it begin in its turn. */
  readonly arrival: Arrival;
  /** Is told when a report that was tried is out of the worker's hands, whatever came of it. */
  readonly onSettled: () => void;
  /** The wait after a fault that has no outcome of its own, such as a dead letter that could not be written. */
  readonly faultDelayMs: number;
  readonly onFault: (jobId: string, error: unknown) => void;
}

/** How long a settled report may go unnoted while others of its bundle are under way or wait, in milliseconds. */
const UNNOTED_MS = 1_000;

/**
 * Opens a bundle and brings it to an end:
 *
 * 1. Reports that were settled before, or have left it, are passed over: a bundle may be opened again after a crash.
 * 2. Where a worker died on it nothing in it is tried: each report becomes a job of its own, suspect like any other
 *    that was under way, so that the one that kills is found out among them.
 * 3. Each report gets an attempt and an outcome of its own. One that has to wait leaves the bundle at once and waits
 *    as a job of its own; one that is applied or dead is noted soon, together with others.
 * 4. What a stopping worker did not get to stays in the bundle, which goes back to the head of the queue.
 *
 * A crash between an attempt and its note repeats the attempt, and reading back tells what is true.
 *
 * @returns whether the bundle is at its end, or has to go back to the queue
 * @throws {Error} where the queue could not take note; the bundle is then to be opened again
 */
export async function settleBundle(
  bundle: QueuedBundle,
  context: BundleContext,
  signal: AbortSignal,
): Promise<'finished' | 'hand-back'> {
  const { bundles, later } = context;
  if (bundle.crashes > 0) {
    await breakUp(bundle, bundles);
    return 'finished';
  }
  const reports = await stillPending(bundle, bundles);
  context.arrival.opened();
  await context.arrival.begin();

  let unnoted: AttemptEvent[] = [];
  let callOffNote = (): void => undefined;
  const faults: unknown[] = [];
  let noting: Promise<void> = Promise.resolve();
  let isLeftOver = false;

  function noteSoon(event: AttemptEvent): void {
    unnoted.push(event);
    if (unnoted.length > 1) return;
    callOffNote = later(UNNOTED_MS, () => {
      noting = Promise.all([noting, note(false)]).then(
        () => undefined,
        (error: unknown) => void faults.push(error),
      );
    });
  }

  async function note(isLast: boolean): Promise<void> {
    const events = unnoted;
    unnoted = [];
    callOffNote();
    await bundles.noteSettled(
      bundle.id,
      events.map(({ job }) => job.id),
      isLast,
    );
    for (const event of events) context.observe(event);
  }

  async function settleOne(report: Bundled): Promise<void> {
    try {
      await follow(report, await attempt(report, context, signal));
    } finally {
      context.onSettled();
    }
  }

  async function follow(report: Bundled, event: AttemptEvent | undefined): Promise<void> {
    if (event === undefined) {
      await bundles.takeOut(bundle.id, [{ ...afterFault(report), delayMs: context.faultDelayMs }]);
      return;
    }
    const { outcome, history } = event.result;
    switch (outcome.kind) {
      case 'applied':
      case 'already-applied':
      case 'dead-letter':
        noteSoon(event);
        return;
      case 'retry':
      case 'snooze':
        await bundles.takeOut(bundle.id, [
          {
            report,
            attemptsMade: outcome.kind === 'retry' ? 1 : 0,
            starts: 1,
            crashes: 0,
            history,
            delayMs: outcome.delayMs,
          },
        ]);
        context.observe(event);
        return;
      case 'hand-back':
        isLeftOver = true;
        context.observe(event);
        return;
    }
  }

  const ends = await Promise.allSettled(reports.map(settleOne));
  for (const end of ends) if (end.status === 'rejected') faults.push(end.reason);
  callOffNote();
  await noting;
  await note(!isLeftOver && faults.length === 0);
  if (faults.length > 0) throw faults[0];
  return isLeftOver ? 'hand-back' : 'finished';
}

/**
 * Makes each report that is left in a bundle a job of its own, at the head of the queue and in their order. Nothing
 * is tried. Where a worker died on the bundle, all of them are suspect; one death is held against them however often
 * its workers died, because only with the first was anything in it under way.
 */
export async function breakUp(bundle: QueuedBundle, bundles: Bundles): Promise<void> {
  const crashes = Math.min(bundle.crashes, 1);
  const left = await stillPending(bundle, bundles);
  await bundles.takeOut(
    bundle.id,
    left.map((report) => ({
      report,
      attemptsMade: 0,
      starts: 1,
      crashes,
      history: NO_HISTORY,
      delayMs: 0,
    })),
  );
  await bundles.noteSettled(bundle.id, [], true);
}

/** One report once, however often the bundle names it. */
async function stillPending({ id, reports }: QueuedBundle, bundles: Bundles): Promise<readonly Bundled[]> {
  const distinct = [...new Map(reports.map((report) => [report.id, report])).values()];
  const isPending = await bundles.pending(
    id,
    distinct.map((report) => report.id),
  );
  return distinct.filter((_report, index) => isPending[index] === true);
}

async function attempt(
  report: Bundled,
  { settle, now, onFault }: BundleContext,
  signal: AbortSignal,
): Promise<AttemptEvent | undefined> {
  const job = toJob(report);
  const startedAtMs = now();
  try {
    const result: AttemptResult = await settle(job, signal);
    return { job, result, durationMs: now() - startedAtMs };
  } catch (error) {
    onFault(report.id, error);
    return undefined;
  }
}

function toJob({ id, enqueuedAtMs, report, trace }: Bundled): QueuedJob {
  return {
    id,
    ...(trace === undefined ? {} : { trace }),
    payload: { kind: 'json', value: report },
    attempt: 1,
    earlierStarts: 0,
    enqueuedAtMs,
    history: NO_HISTORY,
    crashes: 0,
  };
}

function afterFault(report: Bundled): Omit<TakenOut, 'delayMs'> {
  return { report, attemptsMade: 1, starts: 1, crashes: 0, history: NO_HISTORY };
}
