import type { Answer } from '../../domain/answer.ts';
import type { BeginRequest, RequestTrace } from '../../pipeline/tracing.ts';
import { typeOfError } from './answer-of-error.ts';
import type { RawResponse } from './answer-of-response.ts';
import { NodeFailure } from './node-failure.ts';
import type { NodePool } from './node-pool.ts';

/** Sends one request, once; a response of any status is returned, whatever else happens is thrown. */
export type SendRequest = (
  method: string,
  path: string,
  signal: AbortSignal,
  body?: object,
) => Promise<RawResponse>;

/** A node that says so is there and cannot serve: others are asked meanwhile. */
const UNAVAILABLE: ReadonlySet<number> = new Set([502, 503, 504]);

const NO_NODE: Answer = {
  kind: 'not-sent',
  cause: 'unreachable',
  type: 'NoLivingConnectionsError',
  reason: 'no node left to ask',
};

/**
 * The way to send to the nodes of a client's pool.
 *
 * The client's own transport stands between the two elsewhere: it repeats requests, follows the cluster's nodes,
 * measures itself, unpacks bodies and makes errors of statuses. None of that is wanted here, and it takes nearly as
 * much CPU as the exchange itself.
 *
 * @param begin follows requests; absent: nobody does
 */
export function requesterOf(pool: NodePool, begin?: BeginRequest): SendRequest {
  async function send(
    method: string,
    path: string,
    signal: AbortSignal,
    body: object | undefined,
    trace: RequestTrace | undefined,
  ): Promise<RawResponse> {
    const node = pool.getConnection({ now: Date.now() });
    if (node === null) throw new NodeFailure(NO_NODE, false);
    const json = body === undefined ? null : JSON.stringify(body);
    try {
      const response = await node.send({ method, path, body: json, headers: trace?.headers }, signal);
      if (UNAVAILABLE.has(response.status)) pool.markDead(node);
      else pool.markAlive(node);
      trace?.end({ status: response.status, node: node.url });
      return response;
    } catch (failure) {
      if (failure instanceof NodeFailure && failure.isNodeAtFault) pool.markDead(node);
      trace?.end({ node: node.url, errorType: typeOfError(failure) });
      throw failure;
    }
  }

  return (method, path, signal, body) =>
    send(method, path, signal, body, begin?.(method, path.replace(SYNC_JOB_ID, '$1{connector_sync_job_id}')));
}

const SYNC_JOB_ID = /(\/_sync_job\/)[^/]+/;
