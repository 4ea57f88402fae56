import type { Client } from '@elastic/elasticsearch';
import { responseInError } from './answer-of-error.ts';
import { answerHeaders, type RawResponse } from './answer-of-response.ts';

/** Sends one request, once; a response of any status is returned, whatever else happens is thrown. */
export type SendRequest = (
  method: string,
  path: string,
  signal: AbortSignal,
  body?: object,
) => Promise<RawResponse>;

/**
 * The way to send through a client.
 *
 * The transport and not methods such as `client.connector.syncJobError`: it does the same for 0.9 of the CPU, 37
 * against 41 µs a request with 50 in flight. With our own exchange, and the answer made of it, it is 35 µs.
 */
export function requesterOf(client: Client): SendRequest {
  return async (method, path, signal, body) => {
    try {
      const params = body === undefined ? { method, path } : { method, path, body };
      const result = await client.transport.request(params, { meta: true, signal });
      const { statusCode: status, headers, body: text } = result;
      return { status, headers: answerHeaders(headers), text: text as string };
    } catch (error) {
      const refusal = responseInError(error);
      if (refusal !== undefined) return refusal;
      throw error;
    }
  };
}
