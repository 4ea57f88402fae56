import {
  type Answer,
  type AnswerSummary,
  cutReason,
  type ReadBack,
  summarizeAnswer,
} from '../domain/answer.ts';
import type { FoundSyncJob } from '../domain/dead-letter.ts';
import type { ErrorReport } from '../domain/error-report.ts';
import { REDUCED_ERROR_BYTES, shortenError } from '../domain/shorten-error.ts';
import {
  type Ambiguous,
  CHANGED_AGAIN,
  type ChangedMeanwhile,
  judgeAnswer,
  judgeReadBack,
  STILL_TOO_LARGE,
  type TooLarge,
  type Verdict,
} from '../domain/verdict.ts';
import type { ConnectorApi } from './ports.ts';
import type { ReadBackInDoubt } from './read-back.ts';

/** What became of the requests of one attempt. */
export interface Delivery {
  readonly verdict: Verdict;
  /** What was said last. */
  readonly answer: AnswerSummary;
  /** The last `Retry-After` header, as it came. */
  readonly retryAfter?: string;
  /** What the sync job was found to be, where it was read back. */
  readonly found?: FoundSyncJob;
}

/**
 * The requests of one attempt, until there is a verdict:
 *
 * 1. The error is sent. Most answers are a verdict.
 * 2. An ambiguous one is read back, and the sync job tells; see `read-back.ts` for when that waits.
 * 3. Two findings call for one more request at once: 413, with a shorter text, and a sync job that changed
 *    between the refusal and the read-back. Each counts once in an attempt; the second time is final.
 *
 * @param clock milliseconds, on a clock that never goes back
 * @param readBackInDoubt reads back, if that may tell anything
 */
export async function deliverError(
  report: ErrorReport,
  api: ConnectorApi,
  signal: AbortSignal,
  clock: () => number,
  readBackInDoubt: ReadBackInDoubt,
): Promise<Delivery> {
  const { connector_sync_job_id: id, error } = report;
  const whole = shortenError(error);
  // Rarely needed, and a large text takes time and room.
  const reduced = (): string => shortenError(error, REDUCED_ERROR_BYTES);
  const isOurs = (stored: string): boolean => stored === whole || stored === reduced();

  let text = whole;
  let wasChanged = false;
  for (;;) {
    const sentAtMs = clock();
    const answer = await api.setSyncJobError(id, text, signal);
    const judged = judgeAnswer(answer);
    const sent: Sent =
      judged.kind === 'ambiguous'
        ? await readBack(judged, answer, clock() - sentAtMs)
        : { verdict: judged, ...told(answer) };
    const { verdict } = sent;
    switch (verdict.kind) {
      case 'too-large':
        if (text === reduced()) return { ...sent, verdict: STILL_TOO_LARGE };
        text = reduced();
        break;
      case 'changed-meanwhile':
        if (wasChanged) return { ...sent, verdict: CHANGED_AGAIN };
        wasChanged = true;
        break;
      default:
        return { ...sent, verdict };
    }
  }

  async function readBack(ambiguous: Ambiguous, first: Answer, sinceSentMs: number): Promise<Sent> {
    const read = (within: AbortSignal): Promise<ReadBack> => api.readSyncJob(id, within);
    const found: ReadBack = (await readBackInDoubt(ambiguous.cause, sinceSentMs, read, signal)) ?? {
      kind: 'unknown',
      answer: first,
    };
    const verdict = judgeReadBack(ambiguous, found, isOurs);
    switch (found.kind) {
      case 'found':
        return { verdict, ...told(first), found: summarizeFound(found.status, found.shownError) };
      case 'missing':
      case 'unknown':
        return { verdict, ...told(found.answer) };
    }
  }
}

/** A delivery that may still call for one more request. */
type Sent = Omit<Delivery, 'verdict'> & { readonly verdict: Verdict | TooLarge | ChangedMeanwhile };

function told(answer: Answer): { readonly answer: AnswerSummary; readonly retryAfter?: string } {
  const summary = { answer: summarizeAnswer(answer) };
  return answer.kind === 'response' && answer.retryAfter !== undefined
    ? { ...summary, retryAfter: answer.retryAfter }
    : summary;
}

function summarizeFound(status: FoundSyncJob['status'], error: string | undefined): FoundSyncJob {
  return error === undefined ? { status } : { status, error: cutReason(error) };
}
