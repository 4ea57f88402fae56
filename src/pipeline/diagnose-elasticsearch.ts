import type { Answer } from '../domain/answer.ts';
import { type Check, failed, ok, warning } from './diagnosis.ts';

export interface ElasticsearchVersion {
  /** `9.5.1` */
  readonly number: string;
  readonly major: number;
  readonly minor: number;
  /** Elastic Cloud Serverless, whose number says nothing of what it can do. */
  readonly isServerless: boolean;
}

/** A node's answer to `GET /`. */
export interface NodeFact {
  readonly address: string;
  readonly answer: Answer;
  readonly durationMs: number;
  /** Undefined where it does not tell it to us. */
  readonly version: ElasticsearchVersion | undefined;
}

/** The answer to `GET /_security/_authenticate`. */
export interface IdentityFact {
  readonly answer: Answer;
  readonly username: string | undefined;
  /** Name or id of the key, where we came in with one. */
  readonly apiKey: string | undefined;
}

/** What it takes to set the error of a sync job. */
export type Privilege =
  | { readonly kind: 'cluster'; readonly name: string }
  | { readonly kind: 'index'; readonly index: string; readonly names: readonly string[] };

/** The answer to `POST /_security/user/_has_privileges`. */
export interface PrivilegeFact {
  readonly privilege: Privilege;
  readonly answer: Answer;
  readonly isHeld: boolean | undefined;
}

/** The answer to `GET /_connector/_sync_job?size=0`. */
export interface ConnectorApiFact {
  readonly answer: Answer;
  readonly isList: boolean;
}

/** What was found out about Elasticsearch; all but the nodes only where one of them answers. */
export interface ElasticsearchFacts {
  readonly nodes: readonly NodeFact[];
  readonly hasCredentials: boolean;
  readonly identity?: IdentityFact;
  readonly privilege?: PrivilegeFact;
  readonly connectorApi?: ConnectorApiFact;
}

const MANAGE_CONNECTOR: Privilege = { kind: 'cluster', name: 'manage_connector' };
const ON_INDICES: Privilege = {
  kind: 'index',
  index: '.elastic-connectors-sync-jobs*',
  names: ['read', 'write'],
};

const SEE_CREDENTIALS = 'docs/elasticsearch.md, "Credentials", shows how to make a key that is enough.';

/** What to ask for, by version; where it is hidden, first what the newer ones ask for. */
export function neededPrivilege(version: ElasticsearchVersion | undefined): Privilege {
  if (version === undefined || version.isServerless || isSince(version, 8, 18)) return MANAGE_CONNECTOR;
  return isSince(version, 8, 13) ? ON_INDICES : { kind: 'cluster', name: 'manage' };
}

/** What else to ask for, where the version is hidden and the privilege is not known there. */
export function olderPrivilege({ answer, privilege }: PrivilegeFact): Privilege | undefined {
  const isUnknown = answer.kind === 'response' && answer.status === 400;
  return isUnknown && privilege === MANAGE_CONNECTOR ? ON_INDICES : undefined;
}

/** The first node that Elasticsearch itself answers on, by its place in the list; -1 where none does. */
export function answeringNode(nodes: readonly NodeFact[]): number {
  return nodes.findIndex(({ answer }) => complaintOf(answer) === undefined);
}

/** Judges what was found out. */
export function diagnoseElasticsearch(facts: ElasticsearchFacts): Check[] {
  const node = facts.nodes[answeringNode(facts.nodes)];
  if (node === undefined) return [judgeNodes(facts.nodes)];
  const isStranger = facts.identity !== undefined && statusOf(facts.identity.answer) === 401;
  return [
    judgeNodes(facts.nodes),
    ...(isStranger ? [] : [judgeVersion(node)]),
    ...(facts.identity === undefined ? [] : [judgeIdentity(facts.identity, facts.hasCredentials)]),
    ...(facts.privilege === undefined || isStranger ? [] : [judgePrivilege(facts.privilege)]),
    ...(facts.connectorApi === undefined || isStranger ? [] : [judgeConnectorApi(facts.connectorApi)]),
  ];
}

/** Whether security is switched off, so that there is nobody to ask for credentials or privileges. */
export function isSecurityOff({ answer }: IdentityFact): boolean {
  return hasNoHandler(answer);
}

interface Complaint {
  readonly detail: string;
  readonly advice: string;
}

function judgeNodes(nodes: readonly NodeFact[]): Check {
  const name = 'elasticsearch';
  const complaints = nodes.flatMap(({ address, answer }) => {
    const complaint = complaintOf(answer);
    return complaint === undefined ? [] : [{ ...complaint, detail: `${address}: ${complaint.detail}` }];
  });
  const [first] = complaints;
  const [only] = nodes;
  if (first === undefined) {
    const detail =
      nodes.length === 1 && only !== undefined
        ? `${only.address} answers in ${Math.round(only.durationMs)} ms`
        : `all of ${nodes.length} nodes answer`;
    return ok(name, detail);
  }
  const detail = complaints.map((complaint) => complaint.detail).join('; ');
  if (complaints.length === nodes.length) return failed(name, detail, first.advice);
  return warning(
    name,
    `${nodes.length - complaints.length} of ${nodes.length} nodes answer; ${detail}`,
    first.advice,
  );
}

/** What is wrong with a node, or undefined where Elasticsearch itself answered; refusals are judged later. */
function complaintOf(answer: Answer): Complaint | undefined {
  switch (answer.kind) {
    case 'not-sent':
      return answer.cause === 'tls'
        ? {
            detail: describe(answer),
            advice:
              'Set ELASTICSEARCH_CA_FILE or ELASTICSEARCH_CA_FINGERPRINT to its authority; a node without TLS needs http://.',
          }
        : { detail: describe(answer), advice: 'Start it, or set ELASTICSEARCH_URL to where it is.' };
    case 'lost':
      return {
        detail: describe(answer),
        advice:
          'A node that asks for TLS ends the connection like this and needs https://; else see its log.',
      };
    case 'interrupted':
      return {
        detail: 'no answer in time',
        advice: 'See whether it is overloaded or a firewall drops the request.',
      };
    case 'response':
      break;
  }
  if (!answer.fromElasticsearch) {
    return {
      detail: `HTTP ${answer.status}, not from Elasticsearch`,
      advice:
        'Set ELASTICSEARCH_URL to Elasticsearch itself: a proxy, another product or a wrong port answers there.',
    };
  }
  if (answer.status < 500) return undefined;
  return {
    detail: describe(answer),
    advice: 'See the cluster’s own health and logs; reports wait meanwhile.',
  };
}

function judgeVersion({ answer, version }: NodeFact): Check {
  const name = 'elasticsearch_version';
  if (version === undefined) {
    return ok(
      name,
      statusOf(answer) === 403 ? 'not told to these credentials, which need not know it' : 'not told',
    );
  }
  if (version.isServerless) return ok(name, 'serverless');
  if (!isSince(version, 8, 12)) {
    return failed(name, `${version.number} has no connector API`, 'Use Elasticsearch 8.12 or newer.');
  }
  return ok(name, version.number);
}

function judgeIdentity(identity: IdentityFact, hasCredentials: boolean): Check {
  const name = 'credentials';
  const { answer, username, apiKey } = identity;
  if (isSecurityOff(identity)) {
    const ignored = hasCredentials ? '; the credentials here are not looked at' : '';
    return warning(
      name,
      `security is off: whoever reaches it may do everything${ignored}`,
      'Switch it on (xpack.security.enabled), unless this is a place to try things.',
    );
  }
  if (statusOf(answer) === 401) {
    return hasCredentials
      ? failed(name, `refused (${describe(answer)})`, `Set credentials that are valid. ${SEE_CREDENTIALS}`)
      : failed(
          name,
          'none are set, and Elasticsearch asks for them',
          `Set ELASTICSEARCH_API_KEY. ${SEE_CREDENTIALS}`,
        );
  }
  if (username === undefined) {
    return warning(name, `could not be checked (${describe(answer)})`, 'See whether a proxy is in the way.');
  }
  return ok(name, apiKey === undefined ? `user ${username}` : `API key ${apiKey} of ${username}`);
}

function judgePrivilege({ privilege, answer, isHeld }: PrivilegeFact): Check {
  const name = 'privilege';
  const wanted =
    privilege.kind === 'cluster'
      ? `cluster privilege ${privilege.name}`
      : `index privileges ${privilege.names.join(' and ')} on ${privilege.index}`;
  if (isHeld === true) return ok(name, wanted);
  if (isHeld === false) return failed(name, `${wanted}: missing`, `Grant it. ${SEE_CREDENTIALS}`);
  return warning(name, `${wanted}: could not be checked (${describe(answer)})`, SEE_CREDENTIALS);
}

function judgeConnectorApi({ answer, isList }: ConnectorApiFact): Check {
  const name = 'connector_api';
  if (statusOf(answer) === 200 && isList) return ok(name, 'answers');
  if (statusOf(answer) === 403) {
    return failed(name, `refused (${describe(answer)})`, `Grant what it names. ${SEE_CREDENTIALS}`);
  }
  if (hasNoHandler(answer) || statusOf(answer) === 404) {
    return failed(name, 'there is none', 'Use Elasticsearch 8.12 or newer, and no proxy that hides it.');
  }
  return failed(name, describe(answer), 'See its log; reports wait until it answers.');
}

/** Elasticsearch's router where a version or a setting lacks the endpoint. */
function hasNoHandler(answer: Answer): boolean {
  if (answer.kind !== 'response' || !answer.fromElasticsearch) return false;
  if (answer.status === 405) return true;
  return (
    answer.status === 400 && answer.body.kind === 'unreadable' && /^no handler found/.test(answer.body.reason)
  );
}

function statusOf(answer: Answer): number | undefined {
  return answer.kind === 'response' && answer.fromElasticsearch ? answer.status : undefined;
}

function describe(answer: Answer): string {
  switch (answer.kind) {
    case 'not-sent':
    case 'lost':
      return answer.reason.includes(answer.type) ? answer.reason : `${answer.type}: ${answer.reason}`;
    case 'interrupted':
      return 'no answer in time';
    case 'response':
      break;
  }
  const { status, body } = answer;
  if (body.kind === 'result') return `HTTP ${status}`;
  return body.kind === 'error'
    ? `HTTP ${status}: ${body.type}: ${body.reason}`
    : `HTTP ${status}: ${body.reason}`;
}

function isSince({ major, minor }: ElasticsearchVersion, sinceMajor: number, sinceMinor: number): boolean {
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}
