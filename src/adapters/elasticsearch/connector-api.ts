import type { Answer, ReadBack } from '../../domain/answer.ts';
import type { ConnectorApi } from '../../pipeline/ports.ts';
import type { BeginRequest } from '../../pipeline/tracing.ts';
import { answerOfError } from './answer-of-error.ts';
import { answerOfResponse } from './answer-of-response.ts';
import { clientOptions, secretsOf } from './client-options.ts';
import { openNodes } from './open-nodes.ts';
import { quoter, redactor } from './quote.ts';
import { type Reachability, reachabilityOf } from './reachability.ts';
import { readBackOfRefusal, readBackOfResponse } from './read-back-of-response.ts';
import { requesterOf } from './requester.ts';
import { syncJobPath } from './sync-job-path.ts';

/** Where Elasticsearch is and how it is spoken to. */
export interface ElasticsearchOptions {
  /**
   * Addresses of one or several nodes, http or https; a path in front of the API is kept. Empty where a cloud
   * id is given. A user and password in them count as basic authentication.
   */
  readonly nodes: readonly string[];
  /** The deployment on Elastic Cloud, instead of nodes. */
  readonly cloudId?: string | undefined;
  readonly auth?:
    | { readonly kind: 'api-key'; readonly apiKey: string }
    | { readonly kind: 'basic'; readonly username: string; readonly password: string }
    | { readonly kind: 'bearer'; readonly token: string }
    | undefined;
  /** Certificate authorities to trust instead of the system's, as PEM text. */
  readonly ca?: string | undefined;
  /** SHA-256 of the certificate authority's or the server's certificate, hexadecimal. */
  readonly caFingerprint?: string | undefined;
  /** From the start of a request to the last byte of its response, connecting included; in milliseconds, below 2^31. */
  readonly requestTimeoutMs: number;
  /** Longest response body that is read, in bytes. */
  readonly maxResponseBytes: number;
}

/** The connector API over a connection that its owner closes. */
export interface ElasticsearchConnection extends ConnectorApi, AsyncDisposable {
  /**
   * Asks one node who it is. Up means that Elasticsearch itself answered and did not refuse the credentials; no
   * privilege is needed. Never rejects.
   */
  ping(signal: AbortSignal): Promise<Reachability>;
  /** Lets open requests end, each by its timeout at the latest, and closes every socket. May be repeated. */
  close(): Promise<void>;
}

/**
 * Opens the way to Elasticsearch; nothing is sent before the first call.
 *
 * @param begin follows requests; absent: nobody does
 * @throws {ElasticsearchOptionsInvalid} where the options make no sense; no message repeats a secret
 */
export function connectElasticsearch(
  options: ElasticsearchOptions,
  begin?: BeginRequest,
): ElasticsearchConnection {
  const nodes = openNodes(clientOptions(options));
  const secrets = secretsOf(options);
  const [quote, redact] = [quoter(secrets), redactor(secrets)];
  let closing: Promise<void> | undefined;

  const send = requesterOf(nodes.pool, begin);

  const close = (): Promise<void> => {
    closing ??= nodes.close();
    return closing;
  };

  return {
    async setSyncJobError(connectorSyncJobId: string, error: string, signal: AbortSignal): Promise<Answer> {
      try {
        const path = `${syncJobPath(connectorSyncJobId)}/_error`;
        return answerOfResponse(await send('PUT', path, signal, { error }), quote);
      } catch (failure) {
        return answerOfError(failure, quote);
      }
    },

    async readSyncJob(connectorSyncJobId: string, signal: AbortSignal): Promise<ReadBack> {
      try {
        const response = await send('GET', syncJobPath(connectorSyncJobId), signal);
        return readBackOfResponse(response, connectorSyncJobId, { quote, redact });
      } catch (failure) {
        return readBackOfRefusal(answerOfError(failure, quote));
      }
    },

    async ping(signal: AbortSignal): Promise<Reachability> {
      try {
        return reachabilityOf(answerOfResponse(await send('GET', '/', signal), quote));
      } catch (failure) {
        return reachabilityOf(answerOfError(failure, quote));
      }
    },

    close,
    [Symbol.asyncDispose]: close,
  };
}
