import type { DeadLetter } from '../domain/dead-letter.ts';
import type { ParsedReport, ParseErrorReport } from '../domain/error-report.ts';
import { reportJobId } from '../domain/job.ts';
import { abridge, lineageOf, type Redrive } from '../domain/lineage.ts';
import { type DeadLetterStore, LETTERS_A_CALL, type StoredLetter } from './dead-letter-ports.ts';
import type {
  LetterMove,
  RedriveRun,
  RedriveStop,
  Redrives,
  RedriveVerdict,
  RedriveWork,
} from './redrive-ports.ts';

export interface RedriveContext {
  readonly letters: Pick<DeadLetterStore, 'find' | 'read'>;
  readonly redrives: Redrives;
  readonly parse: ParseErrorReport;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Waits so many milliseconds, or until the signal. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Is told how many letters are settled, each time some are. */
  readonly onProgress?: ((settled: number) => void) | undefined;
}

/** Why the letters are not walked along any further. */
type WalkEnd = 'whole' | 'limit' | 'interrupted' | RedriveStop;

/** How often canaries are looked after, in milliseconds. */
const CANARY_LOOK_MS = 250;

/** Error texts in one transaction, in UTF-16 code units, so that Redis is never held up by one of them. */
const BATCH_CHARACTERS = 1_048_576;

/**
 * Carries out a run from where it stands:
 *
 * 1. The canaries go, if there are to be any, and the run waits until each of them is settled.
 * 2. Where one of them is dead again, or they take too long, the run stops. Else the rest goes, oldest first, at
 *    the rate that was set and no faster.
 * 3. The run ends when it has come to the last letter or to its limit; it stops when as many reports as were said
 *    to be enough are dead again for the same reason; it rests when the signal says so.
 *
 * Everything it needs to know stands in its record, changed in the same transaction as the letters, so that a
 * crash at any point is followed by nothing but another `resume`.
 */
export async function redriveDeadLetters(
  work: RedriveWork,
  context: RedriveContext,
  signal: AbortSignal,
): Promise<void> {
  const { redrives, now } = context;
  const walk = walker(work, context, signal);
  const limit = work.run.limit ?? Number.POSITIVE_INFINITY;
  const end = await inPhases();
  const ending = endingOf(end, work.run);
  await redrives.end(work, ending.state, ending.reason, now());

  async function inPhases(): Promise<WalkEnd | CanaryEnd> {
    let { phase } = work.run;
    if (phase === 'canary') {
      const sent = await walk(Math.min(work.run.canary, limit), true);
      if (sent !== 'limit' && sent !== 'whole') return sent;
      phase = 'waiting';
      await redrives.setPhase(work, phase);
    }
    if (phase === 'waiting') {
      const waited = await awaitCanaries(work, context, signal);
      if (waited !== 'passed') return waited;
      await redrives.setPhase(work, 'rest');
    }
    return walk(limit, false);
  }
}

type CanaryEnd = 'canary_dead' | 'canary_late';

function endingOf(
  end: WalkEnd | CanaryEnd,
  run: RedriveRun,
): { readonly state: 'done' | 'stopped' | 'interrupted'; readonly reason: string | null } {
  switch (end) {
    case 'whole':
    case 'limit':
      return { state: 'done', reason: null };
    case 'interrupted':
    // The record tells these two already, or belongs to another process.
    case 'cancelled':
    case 'lost':
      return { state: 'interrupted', reason: null };
    case 'same_code':
      return { state: 'stopped', reason: 'reports came back with the code they had before' };
    case 'canary_dead':
      return { state: 'stopped', reason: 'a canary came back as a dead letter' };
    case 'canary_late':
      return { state: 'stopped', reason: `the canaries were not settled within ${run.canary_timeout_ms} ms` };
  }
}

/** Makes the walk along the letters; a second one goes on where the first one ended. */
function walker(
  work: RedriveWork,
  context: RedriveContext,
  signal: AbortSignal,
): (limit: number, isCanary: boolean) => Promise<WalkEnd> {
  const { letters, redrives, now, pause, onProgress } = context;
  const { run } = work;
  const batchSize = Math.max(1, Math.min(100, Math.round(run.rate / 40)));
  const filter = {
    ...run.filter,
    deadBeforeMs: Math.min(run.filter.deadBeforeMs ?? Number.POSITIVE_INFINITY, run.dead_before_ms),
  };
  let after = work.after;
  let moved = run.counts.redriven;
  let settled = Object.values(run.counts).reduce((sum, count) => sum + count, 0);
  let dueMs = now();

  return async (limit, isCanary) => {
    for (;;) {
      if (moved >= limit) return 'limit';
      const page = await letters.find(filter, { order: 'oldest', after, limit: LETTERS_A_CALL });
      let rest = page.found.map(({ id }) => id);
      while (rest.length > 0) {
        if (signal.aborted) return 'interrupted';
        if (moved >= limit) return 'limit';
        const ids = rest.slice(0, Math.min(batchSize, limit - moved));
        const batch = upTo(BATCH_CHARACTERS, await letters.read(ids));
        // What is gone since it was found is behind us as well.
        rest = rest.slice(batch.length === 0 ? ids.length : ids.indexOf(batch.at(-1)?.id ?? '') + 1);
        if (batch.length === 0) continue;
        const end = await settle(batch, isCanary);
        if (end !== undefined) return end;
      }
      if (page.after === undefined) return 'whole';
      after = page.after;
      const standing = await redrives.keep(work);
      if (standing !== 'go') return standing;
      if (signal.aborted) return 'interrupted';
    }
  };

  async function settle(batch: readonly StoredLetter[], isCanary: boolean): Promise<WalkEnd | undefined> {
    const last = batch.at(-1);
    if (last === undefined) return undefined;
    const at = { atMs: now(), after: { atMs: Date.parse(last.letter.dead_at), id: last.id }, isCanary };
    const { moves, passed } = sortOut(batch, context, run, at.atMs);
    if (moves.length > 0) {
      // Waits before it sends, and never makes up for lost time: at no moment has it sent more than the rate allows.
      dueMs = Math.max(dueMs + (moves.length * 1_000) / run.rate, now());
      if (dueMs > now()) await pause(dueMs - now(), signal);
      if (signal.aborted) return 'interrupted';
      const answer = await redrives.move(work, moves, { ...at, atMs: now() });
      if (answer.kind === 'stopped') return answer.by;
      moved += answer.verdicts.filter((verdict) => verdict === 'redriven').length;
    }
    if (Object.keys(passed).length > 0) await redrives.pass(work, passed, at);
    after = at.after;
    settled += batch.length;
    onProgress?.(settled);
    return undefined;
  }
}

/** The first letters whose texts together are not too long, at least one. */
function upTo(characters: number, letters: readonly StoredLetter[]): readonly StoredLetter[] {
  let sum = 0;
  const end = letters.findIndex(({ letter }) => {
    sum += letter.report?.error.length ?? 0;
    return sum > characters;
  });
  return end < 0 ? letters : letters.slice(0, Math.max(1, end));
}

interface SortedOut {
  readonly moves: readonly LetterMove[];
  readonly passed: Readonly<Partial<Record<RedriveVerdict, number>>>;
}

function sortOut(
  batch: readonly StoredLetter[],
  { parse }: RedriveContext,
  run: RedriveRun,
  nowMs: number,
): SortedOut {
  const moves: LetterMove[] = [];
  const passed: Partial<Record<RedriveVerdict, number>> = {};
  const pass = (verdict: RedriveVerdict): void => {
    passed[verdict] = (passed[verdict] ?? 0) + 1;
  };
  for (const { id, version, letter } of batch) {
    // Put back by this run before, it is one of its reports that came back.
    if (letter.redrives.some((redrive) => redrive.run === run.id)) continue;
    const parsed = reportIn(letter, parse);
    const reason = whyNot(letter, run.max_redrives, () => parsed);
    if (reason !== undefined || parsed.kind === 'invalid') pass(reason ?? 'no_report');
    else {
      const { report } = parsed;
      const history = { attempts: [], ...withRedrive(letter, run, nowMs) };
      moves.push({ id, version, jobId: jobIdOf(letter, reportJobId(report)), report, history });
    }
  }
  return { moves, passed };
}

/** Why a letter is passed over, or undefined where it may go. */
export function whyNot(
  letter: DeadLetter,
  maxRedrives: number,
  parse: ParseErrorReport,
): 'too_often' | 'no_report' | undefined {
  if (letter.redrives.length >= maxRedrives) return 'too_often';
  return reportIn(letter, parse).kind === 'invalid' ? 'no_report' : undefined;
}

const reportIn = (letter: DeadLetter, parse: ParseErrorReport): ParsedReport =>
  parse(letter.report ?? jsonOf(letter.payload));

/** What was no report may be one by now: the limits may have been raised. */
function jsonOf(payload: string | undefined): unknown {
  try {
    return JSON.parse(payload ?? '');
  } catch {
    return undefined;
  }
}

/**
 * The id that the report's job had. Ids that are not ours are not used again: a letter from elsewhere could name
 * one of the queue's own keys.
 */
function jobIdOf(letter: DeadLetter, fallback: string): string {
  const id = letter.id.slice('d-'.length);
  return /^r-[\w-]{24}$/.test(id) ? id : fallback;
}

function withRedrive(letter: DeadLetter, run: RedriveRun, nowMs: number): ReturnType<typeof lineageOf> {
  const redrive: Redrive = {
    at: new Date(nowMs).toISOString(),
    by: run.by,
    run: run.id,
    code: letter.code,
    enqueued_at: letter.enqueued_at,
    dead_at: letter.dead_at,
    attempts_made: letter.attempts_made,
    attempts: abridge(letter.attempts),
  };
  return { ...lineageOf(letter), redrives: [...letter.redrives, redrive] };
}

async function awaitCanaries(
  work: RedriveWork,
  { redrives, now, pause }: RedriveContext,
  signal: AbortSignal,
): Promise<'passed' | 'interrupted' | CanaryEnd | RedriveStop> {
  const deadlineMs = now() + work.run.canary_timeout_ms;
  for (;;) {
    const outcomes = await redrives.canaries(work);
    // Whoever resumes a run that stopped for this has seen it and wants the rest to go.
    if (outcomes.includes('dead') && !work.isSecondTry) return 'canary_dead';
    if (!outcomes.includes('pending')) return 'passed';
    if (now() >= deadlineMs) return 'canary_late';
    const standing = await redrives.keep(work);
    if (standing !== 'go') return standing;
    await pause(CANARY_LOOK_MS, signal);
    if (signal.aborted) return 'interrupted';
  }
}
