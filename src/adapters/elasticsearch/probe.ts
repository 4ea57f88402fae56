import type { Answer } from '../../domain/answer.ts';
import type {
  ConnectorApiFact,
  ElasticsearchVersion,
  IdentityFact,
  NodeFact,
  Privilege,
  PrivilegeFact,
} from '../../pipeline/diagnose-elasticsearch.ts';
import { answerOfError } from './answer-of-error.ts';
import { answerOfResponse, member, parseJson } from './answer-of-response.ts';
import { clientOptions, secretsOf } from './client-options.ts';
import type { ElasticsearchOptions } from './connector-api.ts';
import { type Nodes, openNodes } from './open-nodes.ts';
import { type Quote, quoter } from './quote.ts';
import { requesterOf } from './requester.ts';

/** One node, asked what an operator would ask it. No method rejects, and none changes anything. */
export interface NodeProbe {
  whoAreYou(signal: AbortSignal): Promise<NodeFact>;
  whoAmI(signal: AbortSignal): Promise<IdentityFact>;
  mayI(privilege: Privilege, signal: AbortSignal): Promise<PrivilegeFact>;
  listSyncJobs(signal: AbortSignal): Promise<ConnectorApiFact>;
}

/** Every node of the configuration, and whether there are credentials for them. */
export interface ElasticsearchProbe extends AsyncDisposable {
  readonly nodes: readonly NodeProbe[];
  readonly hasCredentials: boolean;
}

/**
 * Opens a way to each node by itself, where the worker's connection would ask whichever is alive.
 *
 * @throws {ElasticsearchOptionsInvalid} where the options make no sense; no message repeats a secret
 */
export function openProbe(options: ElasticsearchOptions): ElasticsearchProbe {
  const quote = quoter(secretsOf(options));
  const { nodes = [], ...shared } = clientOptions(options);
  const each = [nodes].flat().map((node) => openNodes({ ...shared, node }));
  return {
    nodes: each.map(({ pool }) => probeOf(pool, quote)),
    hasCredentials: shared.auth !== undefined,
    async [Symbol.asyncDispose]() {
      await Promise.all(each.map(({ close }) => close()));
    },
  };
}

function probeOf(pool: Nodes['pool'], quote: Quote): NodeProbe {
  const send = requesterOf(pool);
  const [connection] = pool.connections;
  const address = connection?.url.origin ?? 'unknown';

  async function ask(
    method: string,
    path: string,
    signal: AbortSignal,
    body?: object,
  ): Promise<{ readonly answer: Answer; readonly json: unknown; readonly durationMs: number }> {
    const startedAt = performance.now();
    try {
      const response = await send(method, path, signal, body);
      const json = parseJson(response.text);
      return {
        answer: answerOfResponse(response, quote),
        json: json.kind === 'json' ? json.value : undefined,
        durationMs: performance.now() - startedAt,
      };
    } catch (failure) {
      const answer = answerOfError(failure, quote);
      return { answer, json: undefined, durationMs: performance.now() - startedAt };
    }
  }

  return {
    async whoAreYou(signal) {
      const { answer, json, durationMs } = await ask('GET', '/', signal);
      return { address, answer, durationMs, version: versionOf(json) };
    },
    async whoAmI(signal) {
      const { answer, json } = await ask('GET', '/_security/_authenticate', signal);
      return {
        answer,
        username: textOf(member(json, 'username'), quote),
        apiKey: textOf(
          member(member(json, 'api_key'), 'name') ?? member(member(json, 'api_key'), 'id'),
          quote,
        ),
      };
    },
    async mayI(privilege, signal) {
      const { answer, json } = await ask(
        'POST',
        '/_security/user/_has_privileges',
        signal,
        bodyFor(privilege),
      );
      const isHeld = member(json, 'has_all_requested');
      return { privilege, answer, isHeld: typeof isHeld === 'boolean' ? isHeld : undefined };
    },
    async listSyncJobs(signal) {
      const { answer, json } = await ask('GET', '/_connector/_sync_job?size=0', signal);
      return { answer, isList: Array.isArray(member(json, 'results')) };
    },
  };
}

function bodyFor(privilege: Privilege): object {
  return privilege.kind === 'cluster'
    ? { cluster: [privilege.name] }
    : { index: [{ names: [privilege.index], privileges: privilege.names }] };
}

function versionOf(json: unknown): ElasticsearchVersion | undefined {
  const version = member(json, 'version');
  const number = /^(\d{1,4})\.(\d{1,4})\.\d{1,4}/.exec(String(member(version, 'number')));
  if (number === null) return undefined;
  return {
    number: number[0],
    major: Number(number[1]),
    minor: Number(number[2]),
    isServerless: member(version, 'build_flavor') === 'serverless',
  };
}

function textOf(value: unknown, quote: Quote): string | undefined {
  return typeof value === 'string' ? quote(value) : undefined;
}
