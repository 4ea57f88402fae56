import {
  connectElasticsearch,
  type ElasticsearchOptions,
} from '../../adapters/elasticsearch/connector-api.ts';
import { type AnswerSummary, type SyncJobStatus, summarizeAnswer } from '../../domain/answer.ts';

/** What Elasticsearch holds about a sync job at this moment. */
export type LiveSyncJob =
  | { readonly kind: 'found'; readonly status: SyncJobStatus; readonly error?: string }
  | { readonly kind: 'missing'; readonly answer?: AnswerSummary }
  /** It could not be asked, or its answer makes no sense. */
  | { readonly kind: 'unknown'; readonly answer?: AnswerSummary };

/** Asks Elasticsearch, once. Never rejects for what it says, or does not. */
export async function readLive(options: ElasticsearchOptions, syncJobId: string): Promise<LiveSyncJob> {
  await using elasticsearch = connectElasticsearch(options);
  const read = await elasticsearch.readSyncJob(syncJobId, new AbortController().signal);
  if (read.kind !== 'found') return { kind: read.kind, answer: summarizeAnswer(read.answer) };
  const { kind, status, shownError: error } = read;
  return error === undefined ? { kind, status } : { kind, status, error };
}
