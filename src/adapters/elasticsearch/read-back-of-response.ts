import type { Answer, ReadBack, SyncJobStatus } from '../../domain/answer.ts';
import { SYNC_JOB_STATUSES } from '../../domain/answer.ts';
import {
  answerOfResponse,
  member,
  parseJson,
  type RawResponse,
  unreadableResponse,
} from './answer-of-response.ts';
import type { Quote, Redact } from './quote.ts';

/**
 * What the response to reading a sync job says about it.
 *
 * Both definite results end a report for good, so each has to come from Elasticsearch itself and be whole;
 * whatever else was answered leaves the sync job unknown.
 */
export function readBackOfResponse(
  response: RawResponse,
  connectorSyncJobId: string,
  { quote, redact }: { readonly quote: Quote; readonly redact: Redact },
): ReadBack {
  const { status, headers, text } = response;
  if (status !== 200) return readBackOfRefusal(answerOfResponse(response, quote));
  const unknown = (reason: string): ReadBack => ({
    kind: 'unknown',
    answer: unreadableResponse(status, headers, reason),
  });

  if (headers['x-elastic-product'] !== 'Elasticsearch') return unknown('not from Elasticsearch');
  const json = parseJson(text);
  if (json.kind === 'unreadable') return unknown(json.reason);
  // A proxy that mixes up its answers must not settle a report by another sync job's state.
  const id = member(json.value, 'id');
  if (id !== undefined && id !== connectorSyncJobId) return unknown('another sync job');
  const jobStatus = member(json.value, 'status');
  if (!isSyncJobStatus(jobStatus)) return unknown('no known sync job status');
  const error = member(json.value, 'error') ?? undefined;
  if (error === undefined) return { kind: 'found', status: jobStatus };
  if (typeof error !== 'string') return unknown('an error that is no text');
  return { kind: 'found', status: jobStatus, error, shownError: redact(error) };
}

/** What an answer other than a success says. Only Elasticsearch's own 404 means that the sync job is gone. */
export function readBackOfRefusal(answer: Answer): ReadBack {
  const isMissing =
    answer.kind === 'response' &&
    answer.status === 404 &&
    answer.fromElasticsearch &&
    answer.body.kind === 'error' &&
    answer.body.type === 'resource_not_found_exception';
  return { kind: isMissing ? 'missing' : 'unknown', answer };
}

const STATUSES: ReadonlySet<unknown> = new Set(SYNC_JOB_STATUSES);

function isSyncJobStatus(value: unknown): value is SyncJobStatus {
  return STATUSES.has(value);
}
