/**
 * From what was said to what it means, as docs/job-lifecycle.md tables it:
 *
 * 1. `judgeAnswer` reads the answer to the PUT. Most answers are a verdict at once.
 * 2. Where the answer leaves open whether the error was set, its verdict is `ambiguous`: the sync job is
 *    read back, and `judgeReadBack` gives the verdict.
 *
 * Not the status alone decides. `_error` refuses repeats with 400, so a refusal may mean success; and a
 * proxy's 404 says nothing about the sync job.
 */
import type { Answer, ReadBack, Response } from './answer.ts';
import type { DeadLetterCode, VerdictCode } from './codes.ts';

/** What an answer says about Elasticsearch's health, for the circuit. */
export type CircuitEffect = 'success' | 'failure' | 'neutral';

/** Codes of verdicts that no waiting changes. */
export type PermanentCode = Exclude<DeadLetterCode, 'attempts_exhausted' | 'expired'>;

/** Why an answer alone does not settle the matter. */
export type AmbiguousCause =
  /** Elasticsearch refused the transition; the sync job's status and text tell why. */
  | 'refused-transition'
  /** A success of Elasticsearch's own that came cut, or without sense. */
  | 'unreadable-success'
  /** A success that somebody else told: a proxy, or a page for people who have to sign in. */
  | 'foreign-success'
  /** The request left and its response did not come. */
  | 'lost-response';

export type Verdict =
  | { readonly kind: 'applied'; readonly circuit: 'success' }
  | { readonly kind: 'already-applied'; readonly circuit: 'success' }
  | { readonly kind: 'permanent'; readonly code: PermanentCode; readonly circuit: CircuitEffect }
  | {
      readonly kind: 'transient';
      readonly code: VerdictCode;
      readonly attemptUsed: boolean;
      /** How the wait before the next attempt is chosen. */
      readonly wait: 'backoff' | 'short' | 'retry-after';
      readonly circuit: CircuitEffect;
    }
  /** Nothing is wrong with the report: the way to Elasticsearch is shut. Never uses an attempt. */
  | { readonly kind: 'outage'; readonly code: VerdictCode; readonly circuit: 'failure' }
  /** The sync job has not started, or rests; it may start later. */
  | { readonly kind: 'not-running'; readonly code: 'not_running'; readonly circuit: 'success' }
  /** We stopped the request ourselves. */
  | { readonly kind: 'interrupted'; readonly circuit: 'neutral' };

/** An answer that has to be read back before it means anything. */
export interface Ambiguous {
  readonly kind: 'ambiguous';
  readonly cause: AmbiguousCause;
  readonly code: 'ambiguous' | 'misrouted';
}

/** Too large for something on the way: a shorter text may pass, once. */
export interface TooLarge {
  readonly kind: 'too-large';
}

/** The sync job changed between the refusal and the read-back: the PUT may pass now, once. */
export interface ChangedMeanwhile {
  readonly kind: 'changed-meanwhile';
}

/** The text that Elastic's connector service writes over sync jobs that went silent. */
export const IDLE_CLEANUP_ERROR = 'The job has not seen any update for some time.';

const APPLIED: Verdict = { kind: 'applied', circuit: 'success' };
const ALREADY_APPLIED: Verdict = { kind: 'already-applied', circuit: 'success' };

const outage = (code: VerdictCode): Verdict => ({ kind: 'outage', code, circuit: 'failure' });
const permanent = (code: PermanentCode): Verdict => ({ kind: 'permanent', code, circuit: 'success' });
const ambiguous = (cause: AmbiguousCause, code: Ambiguous['code'] = 'ambiguous'): Ambiguous => ({
  kind: 'ambiguous',
  cause,
  code,
});

/** What the answer to the PUT means. */
export function judgeAnswer(answer: Answer): Verdict | Ambiguous | TooLarge {
  switch (answer.kind) {
    case 'interrupted':
      return { kind: 'interrupted', circuit: 'neutral' };
    case 'not-sent':
      return outage(answer.cause);
    case 'lost':
      return ambiguous('lost-response');
    case 'response':
      return judgeResponse(answer);
  }
}

function judgeResponse(response: Response): Verdict | Ambiguous | TooLarge {
  const { status } = response;
  if (status >= 200 && status < 300) return judgeSuccess(response);
  if (status === 408) return THROTTLED;
  if (status === 413) return { kind: 'too-large' };
  if (status >= 500) return judgeFailure(response);
  return judgeRefusal(response);
}

const THROTTLED: Verdict = {
  kind: 'transient',
  code: 'throttled',
  attemptUsed: false,
  wait: 'retry-after',
  circuit: 'neutral',
};

const SERVER_ERROR: Verdict = {
  kind: 'transient',
  code: 'server_error',
  attemptUsed: true,
  wait: 'backoff',
  circuit: 'failure',
};

const CONFLICT: Verdict = {
  kind: 'transient',
  code: 'conflict',
  attemptUsed: true,
  wait: 'short',
  circuit: 'success',
};

function judgeSuccess({ body, fromElasticsearch }: Response): Verdict | Ambiguous {
  if (!fromElasticsearch) return ambiguous('foreign-success', 'misrouted');
  // "noop": an identical call won the race between its check and its update.
  if (body.kind === 'result' && (body.result === 'updated' || body.result === 'noop')) return APPLIED;
  return ambiguous('unreadable-success');
}

/** A cluster without a master, or that is still recovering, says so: then it is no report's fault. */
function judgeFailure({ body, fromElasticsearch }: Response): Verdict {
  const isBlocked = fromElasticsearch && body.kind === 'error' && body.type === 'cluster_block_exception';
  return isBlocked ? outage('cluster_block') : SERVER_ERROR;
}

/** A status of 3xx or 4xx, where only Elasticsearch's own envelope says anything about the report. */
function judgeRefusal({ status, body, fromElasticsearch }: Response): Verdict | Ambiguous {
  const type = body.kind === 'error' && fromElasticsearch ? body.type : undefined;
  switch (status) {
    case 400:
      return judgeBadRequest(type, body);
    case 401:
      return outage('unauthorized');
    case 403:
      if (type === undefined) return outage('misrouted');
      return outage(type === 'cluster_block_exception' ? 'cluster_block' : 'unauthorized');
    case 404:
      return type === 'resource_not_found_exception' ? permanent('sync_job_not_found') : outage('misrouted');
    case 409:
      return type === undefined ? outage('misrouted') : CONFLICT;
    case 429:
      return type === 'cluster_block_exception' ? outage('cluster_block') : THROTTLED;
    default:
      return outage('misrouted');
  }
}

const REFUSED_TRANSITION = 'connector_sync_job_invalid_status_transition_exception';

function judgeBadRequest(type: string | undefined, body: Response['body']): Verdict | Ambiguous {
  if (type === undefined || body.kind !== 'error') return outage('misrouted');
  if (body.causedByType === REFUSED_TRANSITION || body.reason.startsWith('Invalid transition attempt')) {
    return ambiguous('refused-transition');
  }
  // These refuse our headers, and writes to the whole index: every report would meet the same end.
  if (type === 'media_type_header_exception') return outage('misrouted');
  if (type === 'index_closed_exception') return outage('cluster_block');
  return permanent('rejected');
}

/**
 * What an ambiguous answer means, now that the sync job was read back.
 *
 * @param isOurs whether a stored text is one that was sent for this report
 */
export function judgeReadBack(
  first: Ambiguous,
  readBack: ReadBack,
  isOurs: (storedError: string) => boolean,
): Verdict | ChangedMeanwhile {
  switch (readBack.kind) {
    case 'unknown':
      return judgeUnknown(first, readBack.answer);
    case 'missing':
      return permanent('sync_job_not_found');
    case 'found':
      break;
  }
  switch (readBack.status) {
    case 'error':
      if (readBack.error === undefined) return permanent('superseded');
      if (isOurs(readBack.error)) return ALREADY_APPLIED;
      return permanent(readBack.error === IDLE_CLEANUP_ERROR ? 'idle_cleanup' : 'superseded');
    case 'completed':
    case 'canceled':
      return permanent('terminal_state');
    case 'pending':
    case 'suspended':
      return { kind: 'not-running', code: 'not_running', circuit: 'success' };
    case 'in_progress':
    case 'canceling':
      return judgeNotApplied(first);
  }
}

/** The read-back failed too. Whatever it met says what is wrong; a lost one says only that something is. */
function judgeUnknown(first: Ambiguous, answer: Answer): Verdict {
  const second = judgeAnswer(answer);
  if (second.kind === 'interrupted') return second;
  if (second.kind === 'outage') return second;
  if (second.kind === 'transient' && second.code === 'throttled') return second;
  return outage(first.code);
}

/** The sync job still waits for its error: why it was not set decides how to go on. */
function judgeNotApplied(first: Ambiguous): Verdict | ChangedMeanwhile {
  switch (first.cause) {
    case 'refused-transition':
      return { kind: 'changed-meanwhile' };
    case 'unreadable-success':
    case 'foreign-success':
      return outage(first.code);
    case 'lost-response':
      return { kind: 'transient', code: 'ambiguous', attemptUsed: true, wait: 'backoff', circuit: 'failure' };
  }
}

/** What the second refusal of one attempt comes to, where the sync job kept changing: an ordinary conflict. */
export const CHANGED_AGAIN: Verdict = CONFLICT;

/** What the second 413 of one attempt comes to, where the shorter text did not pass either. */
export const STILL_TOO_LARGE: Verdict = permanent('too_large');

/** What a fault of our own comes to: tried again like any other, and never for ever. */
export const WORKER_ERROR: Verdict = {
  kind: 'transient',
  code: 'worker_error',
  attemptUsed: true,
  wait: 'backoff',
  circuit: 'neutral',
};
