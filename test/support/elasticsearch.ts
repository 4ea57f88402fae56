/**
 * The Elasticsearch that integration tests speak to: the stand-in, or a real one in a container where the
 * run has one. Scenes are set through the public API alone, so the same tests run on both.
 */
import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { type StandIn, startStandIn } from '../../src/stand-in/index.ts';

/** Statuses that the public API can bring a sync job to; services write the others into the index themselves. */
export type ReachableStatus = 'pending' | 'in_progress' | 'canceling' | 'canceled' | 'error';

/** A sync job as GET returns it. */
export interface SyncJob {
  readonly id: string;
  readonly status: string;
  readonly error?: string;
  readonly [member: string]: unknown;
}

/** An answer of the API, whatever its status. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** An Elasticsearch to test against, with a connector of its own. */
export interface IntegrationElasticsearch extends AsyncDisposable {
  readonly kind: 'stand-in' | 'container';
  readonly url: string;
  /** Encoded; undefined where security is off. */
  readonly apiKey: string | undefined;
  /** The stand-in itself, for faults and the ledger; undefined where the run has a real Elasticsearch. */
  readonly standIn: StandIn | undefined;
  /** The connector that the sync jobs belong to. */
  readonly connectorId: string;
  /** Sends one request with the right credentials. */
  request(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  /** Makes a sync job, brings it to a status and returns its id; `error` is its text where that is the status. */
  createSyncJob(status?: ReachableStatus, error?: string): Promise<string>;
  /** The sync job, or undefined where there is none. */
  syncJob(id: string): Promise<SyncJob | undefined>;
}

/** Starts the stand-in, or joins the run's container; dispose of it at the end. */
export async function integrationElasticsearch(): Promise<IntegrationElasticsearch> {
  const containerUrl = inject('elasticsearchUrl');
  const standIn = containerUrl === null ? await startStandIn() : undefined;
  const url = containerUrl ?? standIn?.url ?? '';
  const apiKey = inject('elasticsearchApiKey') ?? undefined;
  const connectorId = `t-${randomUUID()}`;

  const request = (method: string, path: string, body?: unknown): Promise<ApiAnswer> =>
    send(new URL(path, url), method, apiKey, body);
  await expectStatus(201, request('PUT', `/_connector/${connectorId}`, connector(connectorId)));

  return {
    kind: standIn === undefined ? 'container' : 'stand-in',
    url,
    apiKey,
    standIn,
    connectorId,
    request,
    createSyncJob: async (status = 'in_progress', error = 'it failed') => {
      const created = await expectStatus(
        201,
        request('POST', '/_connector/_sync_job', {
          id: connectorId,
          job_type: 'full',
          trigger_method: 'on_demand',
        }),
      );
      const { id } = created.body as { readonly id: string };
      for (const [step, body] of stepsTo(status, error)) {
        await expectStatus(
          200,
          request('PUT', `/_connector/_sync_job/${encodeURIComponent(id)}/${step}`, body),
        );
      }
      return id;
    },
    syncJob: async (id) => {
      const answer = await request('GET', `/_connector/_sync_job/${encodeURIComponent(id)}`);
      return answer.status === 200 ? (answer.body as SyncJob) : undefined;
    },
    [Symbol.asyncDispose]: async () => {
      if (standIn === undefined) await request('DELETE', `/_connector/${connectorId}?delete_sync_jobs=true`);
      await standIn?.stop();
    },
  };
}

/** A sync job is refused to a connector without an index or a service type. */
const connector = (id: string): object => ({ name: id, index_name: id, service_type: 'postgresql' });

type Step = readonly [path: string, body?: unknown];

function stepsTo(status: ReachableStatus, error: string): readonly Step[] {
  const claim: Step = ['_claim', { worker_hostname: 'tests' }];
  switch (status) {
    case 'pending':
      return [];
    case 'in_progress':
      return [claim];
    case 'canceling':
      return [claim, ['_cancel']];
    case 'canceled':
      return [['_cancel']];
    case 'error':
      return [claim, ['_error', { error }]];
  }
}

async function send(url: URL, method: string, apiKey: string | undefined, body: unknown): Promise<ApiAnswer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(apiKey === undefined ? {} : { authorization: `ApiKey ${apiKey}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

async function expectStatus(expected: number, answering: Promise<ApiAnswer>): Promise<ApiAnswer> {
  const answer = await answering;
  if (answer.status !== expected) {
    throw new Error(
      `Setting the scene: expected ${expected}, got ${answer.status} ${JSON.stringify(answer.body)}`,
    );
  }
  return answer;
}
