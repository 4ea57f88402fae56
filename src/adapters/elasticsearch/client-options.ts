import { X509Certificate } from 'node:crypto';
import type { ClientOptions } from '@elastic/elasticsearch';
import type { ElasticsearchOptions } from './connector-api.ts';
import { nodeConnectionClass } from './node-connection.ts';
import { NodePool } from './node-pool.ts';

/** Options that make no sense, or not together; the message repeats no value, since each may hold a secret. */
export class ElasticsearchOptionsInvalid extends Error {
  override readonly name = 'ElasticsearchOptionsInvalid';
}

type Auth = NonNullable<ElasticsearchOptions['auth']>;

/**
 * Elasticsearch 8 refuses the media type that version 9 of the client sends by default
 * (`application/vnd.elasticsearch+json; compatible-with=9`); plain JSON is understood by both.
 */
const JSON_ONLY = { accept: 'application/json', 'content-type': 'application/json' } as const;

/**
 * The client's options for ours.
 *
 * @throws {ElasticsearchOptionsInvalid} where they make no sense
 */
export function clientOptions(
  options: ElasticsearchOptions,
): ClientOptions & { readonly ConnectionPool: typeof NodePool } {
  const { urls, auth } = nodesAndAuth(options);
  const isPlain = urls.some((url) => url.protocol === 'http:');
  const ca = checkedCa(options.ca);
  const caFingerprint = checkedFingerprint(options.caFingerprint);
  if (isPlain && (ca !== undefined || caFingerprint !== undefined)) {
    throw new ElasticsearchOptionsInvalid(
      'A CA certificate or fingerprint needs https nodes, got an http one',
    );
  }
  return {
    nodes: urls.map((url) => ({ url })),
    Connection: nodeConnectionClass({
      timeoutMs: options.requestTimeoutMs,
      maxResponseBytes: options.maxResponseBytes,
      ca,
      caFingerprint,
    }),
    ConnectionPool: NodePool,
    // The queue repeats what has to be repeated, and knows why.
    maxRetries: 0,
    headers: { ...JSON_ONLY },
    ...(auth === undefined ? {} : { auth: clientAuth(auth) }),
  };
}

/** Every form in which the options' secrets travel, so that none of them is ever quoted. */
export function secretsOf(options: ElasticsearchOptions): string[] {
  const { auth } = nodesAndAuth(options);
  switch (auth?.kind) {
    case undefined:
      return [];
    case 'api-key': {
      const decoded = Buffer.from(auth.apiKey, 'base64').toString();
      return [auth.apiKey, decoded, decoded.slice(decoded.indexOf(':') + 1)];
    }
    case 'basic':
      return [
        auth.password,
        encodeURIComponent(auth.password),
        Buffer.from(`${auth.username}:${auth.password}`).toString('base64'),
      ];
    case 'bearer':
      return [auth.token];
  }
}

interface NodesAndAuth {
  readonly urls: readonly URL[];
  readonly auth: Auth | undefined;
}

function nodesAndAuth({ nodes, cloudId, auth }: ElasticsearchOptions): NodesAndAuth {
  if ((cloudId === undefined) === (nodes.length === 0)) {
    throw new ElasticsearchOptionsInvalid('Either nodes or a cloud id is needed, not both');
  }
  const parsed =
    cloudId === undefined ? nodes.map(parseNode) : [{ url: parseCloudId(cloudId), auth: undefined }];
  const fromUrls = parsed.flatMap((node) => node.auth ?? []);
  const [inUrl] = fromUrls;
  if (inUrl !== undefined && auth !== undefined) {
    throw new ElasticsearchOptionsInvalid(
      'A node URL holds a user and password although other credentials are given',
    );
  }
  if (fromUrls.some((other) => other.username !== inUrl?.username || other.password !== inUrl?.password)) {
    throw new ElasticsearchOptionsInvalid('The node URLs hold different users or passwords');
  }
  const byHref = new Map(parsed.map(({ url }) => [url.href, url]));
  return { urls: [...byHref.values()], auth: checkedAuth(auth ?? inUrl) };
}

type BasicAuth = Extract<Auth, { kind: 'basic' }>;

function parseNode(node: string, index: number): { readonly url: URL; readonly auth: BasicAuth | undefined } {
  // `new URL` puts its input, password included, into its error.
  const url = URL.parse(node);
  const name = `Node ${index + 1}`;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new ElasticsearchOptionsInvalid(
      `${name}: expected an http or https URL without query and fragment`,
    );
  }
  if (url.username === '' && url.password === '') return { url, auth: undefined };
  const [username, password] = [decoded(url.username), decoded(url.password)];
  if (username === '' || password === '') {
    throw new ElasticsearchOptionsInvalid(
      `${name}: expected both a user and a password in the URL, percent-encoded, or neither`,
    );
  }
  // An address is quoted in logs and errors: it must not carry a password.
  url.username = '';
  url.password = '';
  return { url, auth: { kind: 'basic', username, password } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/**
 * `name:base64(host$elasticsearch id$…)`, as Elastic Cloud shows it. The client's own reading of it also
 * forces TLS 1.2 and compressed requests, and drops a fingerprint.
 */
function parseCloudId(cloudId: string): URL {
  const encoded = cloudId.slice(cloudId.lastIndexOf(':') + 1);
  const [host, id] = Buffer.from(encoded, 'base64').toString().split('$');
  const url = host && id ? URL.parse(`https://${id}.${host}`) : null;
  if (url === null || url.username !== '' || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new ElasticsearchOptionsInvalid(
      'Cloud id: expected "name:" and base64 of "host$id", as Elastic Cloud shows it',
    );
  }
  return url;
}

/** What would make a broken header, or another header, is refused here and not at the first report. */
function checkedAuth(auth: Auth | undefined): Auth | undefined {
  switch (auth?.kind) {
    case undefined:
      return undefined;
    case 'api-key':
      if (/^[\x21-\x39\x3b-\x7e]+$/.test(auth.apiKey)) return auth;
      throw new ElasticsearchOptionsInvalid(
        'API key: expected its "encoded" form, one word of base64 without ":" and spaces',
      );
    case 'bearer':
      if (/^[\x21-\x7e]+$/.test(auth.token)) return auth;
      throw new ElasticsearchOptionsInvalid('Bearer token: expected one word of printable ASCII');
    case 'basic':
      if (auth.username !== '' && auth.password !== '' && !auth.username.includes(':')) return auth;
      throw new ElasticsearchOptionsInvalid(
        'Basic authentication: expected a user without ":" and a password',
      );
  }
}

function clientAuth(auth: Auth): NonNullable<ClientOptions['auth']> {
  switch (auth.kind) {
    case 'api-key':
      return { apiKey: auth.apiKey };
    case 'bearer':
      return { bearer: auth.token };
    case 'basic':
      return { username: auth.username, password: auth.password };
  }
}

function checkedCa(ca: string | undefined): string | undefined {
  if (ca === undefined) return undefined;
  try {
    new X509Certificate(ca);
    return ca;
  } catch {
    throw new ElasticsearchOptionsInvalid('CA certificate: expected PEM text');
  }
}

function checkedFingerprint(fingerprint: string | undefined): string | undefined {
  if (fingerprint === undefined || /^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i.test(fingerprint)) return fingerprint;
  throw new ElasticsearchOptionsInvalid(
    'CA fingerprint: expected a SHA-256 of 64 hexadecimal digits, with or without colons',
  );
}
