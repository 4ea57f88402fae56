/** A producer that knows nothing but Elasticsearch's call, and goes on at its own rate whatever it is answered. */
import { Agent, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EnqueueResult } from '../../src/index.ts';
import type { OracleReport, Producer } from './producer.ts';

/** What it was answered. */
export interface HttpAnswers {
  accepted: number;
  /** 429 and 503 that say when to come again. */
  shed: number;
  /** Anything else, by what it was: no answer, another status, or 429 and 503 without `Retry-After`. */
  readonly others: Map<string, number>;
  /** The slowest answer, in milliseconds. */
  slowestMs: number;
}

const TICK_MS = 20;
const CONNECTIONS = 128;

/** Hands reports in at so many a second, each in a request of its own; what is accepted is the oracle's to expect. */
export async function reportOverHttp(
  address: string,
  reports: readonly OracleReport[],
  perSecond: number,
  note: Producer['note'],
): Promise<HttpAnswers> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const answers: HttpAnswers = { accepted: 0, shed: 0, others: new Map(), slowestMs: 0 };
  const other = (what: string): void => void answers.others.set(what, (answers.others.get(what) ?? 0) + 1);

  async function send(report: OracleReport): Promise<void> {
    const startedAtMs = performance.now();
    try {
      const { status, retryAfter, body } = await put(address, agent, report);
      if (status === 202) {
        note(report, toResult(body));
        answers.accepted += 1;
      } else if ((status === 429 || status === 503) && /^\d+$/.test(retryAfter ?? '')) {
        answers.shed += 1;
      } else {
        other(`${status}, Retry-After ${retryAfter ?? 'absent'}`);
      }
    } catch (error) {
      other(error instanceof Error ? error.message : String(error));
    }
    answers.slowestMs = Math.max(answers.slowestMs, performance.now() - startedAtMs);
  }

  const startedAtMs = performance.now();
  const calls: Promise<void>[] = [];
  for (let next = 0; next < reports.length; ) {
    const due = Math.floor(((performance.now() - startedAtMs) / 1_000) * perSecond);
    calls.push(...reports.slice(next, due).map(send));
    next = Math.max(next, due);
    await sleep(TICK_MS);
  }
  await Promise.all(calls);
  agent.destroy();
  return answers;
}

interface Answered {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: unknown;
}

function put(address: string, agent: Agent, { syncJobId, error }: OracleReport): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const url = `${address}/_connector/_sync_job/${encodeURIComponent(syncJobId)}/_error`;
    const headers = { 'content-type': 'application/json' };
    const sent = request(url, { method: 'PUT', agent, headers }, (response) => {
      const { statusCode: status = 0, headers: heard } = response;
      json(response).then((body) => resolve({ status, retryAfter: heard['retry-after'], body }), reject);
    });
    sent.on('error', reject).end(JSON.stringify({ error }));
  });
}

function toResult(body: unknown): EnqueueResult {
  const { id, duplicate } = body as { readonly id: string; readonly duplicate?: boolean };
  return { status: duplicate === true ? 'duplicate' : 'queued', id };
}
