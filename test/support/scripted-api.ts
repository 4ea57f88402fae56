import type { Answer, ReadBack, SyncJobStatus } from '../../src/domain/answer.ts';
import type { ConnectorApi } from '../../src/pipeline/ports.ts';

export const UPDATED: Answer = {
  kind: 'response',
  status: 200,
  fromElasticsearch: true,
  body: { kind: 'result', result: 'updated' },
};

export const UNREACHABLE: Answer = {
  kind: 'not-sent',
  cause: 'unreachable',
  type: 'ECONNREFUSED',
  reason: 'connect ECONNREFUSED',
};

/** A refusal as Elasticsearch words it. */
export function refusal(status: number, type: string, reason: string = type): Answer {
  return { kind: 'response', status, fromElasticsearch: true, body: { kind: 'error', type, reason } };
}

export const NOT_FOUND: Answer = refusal(404, 'resource_not_found_exception');

export const REFUSED_TRANSITION: Answer = {
  kind: 'response',
  status: 400,
  fromElasticsearch: true,
  body: {
    kind: 'error',
    type: 'status_exception',
    reason: 'Invalid transition attempt from [error] to [error].',
    causedByType: 'connector_sync_job_invalid_status_transition_exception',
  },
};

export function found(status: SyncJobStatus, error?: string): ReadBack {
  return error === undefined
    ? { kind: 'found', status }
    : { kind: 'found', status, error, shownError: error };
}

type Reply<T> = T | ((signal: AbortSignal) => Promise<T>);

/** A connector API that says what it is told to: each PUT and GET takes the next of its answers; the last stays. */
export function scriptedApi(script: {
  readonly puts?: readonly Reply<Answer>[];
  readonly gets?: readonly Reply<ReadBack>[];
}): ConnectorApi & {
  readonly sent: { readonly id: string; readonly error: string }[];
  readonly read: string[];
} {
  const sent: { id: string; error: string }[] = [];
  const read: string[] = [];
  return {
    sent,
    read,
    setSyncJobError(id, error, signal) {
      sent.push({ id, error });
      return reply(script.puts ?? [UPDATED], sent.length, signal);
    },
    readSyncJob(id, signal) {
      read.push(id);
      return reply(script.gets ?? [], read.length, signal);
    },
  };
}

async function reply<T>(replies: readonly Reply<T>[], call: number, signal: AbortSignal): Promise<T> {
  const next = replies[Math.min(call, replies.length) - 1];
  if (next === undefined) throw new Error('the script has no answer for this call');
  return typeof next === 'function' ? (next as (signal: AbortSignal) => Promise<T>)(signal) : next;
}
