/**
 * Who may do what. A key is kept as the SHA-256 hash of its secret, which is enough: the secret is 256 random
 * bits, and nobody finds it by trying.
 */
import { Buffer } from 'node:buffer';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** `report` hands reports in; `read` looks at queue and dead letters; `operate` changes dead letters and pauses. */
export const SCOPES = ['report', 'read', 'operate'] as const;

export type Scope = (typeof SCOPES)[number];

/** A key as it is configured. Several may share a name, so that a key can be exchanged without a gap. */
export interface ApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the secret, in hexadecimal digits. */
  readonly hash: string;
}

/** Who is asking. */
export type Access =
  | { readonly kind: 'granted'; readonly name: string; readonly scopes: readonly Scope[] }
  /** No credentials came. */
  | { readonly kind: 'missing' }
  /** Some came, and they are nobody's. */
  | { readonly kind: 'unknown' };

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const HASH = /^[0-9a-f]{64}$/;

/** What `parseApiKeys` expects, for messages. */
export const API_KEYS_FORM =
  'keys as "sync-error-relay api-key create" prints them, <name>:<scope>+<scope>:<sha256>, separated by commas or white space';

/** Reads keys as they are configured, or undefined where one of them cannot be read. */
export function parseApiKeys(text: string): readonly ApiKey[] | undefined {
  const keys = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map(parseApiKey);
  const readable = keys.filter((key) => key !== undefined);
  return readable.length === keys.length && keys.length > 0 ? readable : undefined;
}

function parseApiKey(text: string): ApiKey | undefined {
  const [name = '', scopeText = '', hash = '', ...rest] = text.split(':');
  const wanted = scopeText.split('+');
  const scopes = SCOPES.filter((scope) => wanted.includes(scope));
  const isWhole = rest.length === 0 && scopes.length === new Set(wanted).size && scopes.length > 0;
  return isWhole && NAME.test(name) && HASH.test(hash) ? { name, scopes, hash } : undefined;
}

/** A new key: what its user sends, and the line that lets it in. */
export interface CreatedKey {
  /** Base64 of `name:secret`: what Elasticsearch's clients call an encoded API key. Shown once, kept nowhere. */
  readonly encoded: string;
  /** The line for `API_KEYS`; not a secret. */
  readonly line: string;
}

/** Makes a key. @throws {RangeError} for a name that cannot be one */
export function createApiKey(name: string, scopes: readonly Scope[]): CreatedKey {
  if (!NAME.test(name)) throw new RangeError('a name is 1 to 64 letters, digits, ".", "_" or "-"');
  const secret = randomBytes(32).toString('base64url');
  return {
    encoded: Buffer.from(`${name}:${secret}`).toString('base64'),
    line: `${name}:${scopes.join('+')}:${hashOf(secret).toString('hex')}`,
  };
}

/** Finds out who is asking from an `Authorization` header. */
export type Authenticate = (authorization: string | undefined) => Access;

/** Everybody may do everything: for a door that only this machine reaches. */
export const openToAll: Authenticate = () => ({ kind: 'granted', name: 'anonymous', scopes: SCOPES });

/**
 * Makes the check. `ApiKey`, `Bearer` and `Basic` take the same credential, base64 of `name:secret`, which is
 * what each of Elasticsearch's ways to authenticate sends.
 */
export function authenticator(keys: readonly ApiKey[]): Authenticate {
  const known = keys.map((key) => ({ ...key, digest: Buffer.from(key.hash, 'hex') }));
  return (authorization) => {
    const [, encoded] =
      /^(?:apikey|bearer|basic) +([A-Za-z0-9+/_=-]{1,1024}) *$/i.exec(authorization ?? '') ?? [];
    if (encoded === undefined) return { kind: authorization === undefined ? 'missing' : 'unknown' };
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    const name = text.slice(0, Math.max(colon, 0));
    const digest = hashOf(text.slice(colon + 1));
    let found: ApiKey | undefined;
    // Every key is compared, so that the time says nothing about which came near.
    for (const key of known) {
      if (timingSafeEqual(key.digest, digest) && key.name === name) found = key;
    }
    return found === undefined
      ? { kind: 'unknown' }
      : { kind: 'granted', name: found.name, scopes: found.scopes };
  };
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();
