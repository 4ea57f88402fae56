/** Who exists, who is asking, and whether they may. */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { newDocumentId } from '../document-id.ts';
import { ServerException } from '../errors/server-exception.ts';
import type { VersionTraits } from '../version.ts';
import { includesClusterPrivilege, type Privileges, refuseAction } from './privileges.ts';

/** Users and keys that exist from the start. */
export interface SecurityOptions {
  /** Default: the superuser `elastic` with the password `changeme`. */
  readonly users?: readonly UserOptions[];
  /** Default: none. */
  readonly apiKeys?: readonly ApiKeyOptions[];
}

/** A user who signs in with a password. */
export interface UserOptions {
  readonly name: string;
  readonly password: string;
  /** Names shown in answers. Default `superuser` for somebody who may do everything, else the user's name. */
  readonly roles?: readonly string[];
  /** Cluster privileges, such as `manage_connector`. Default `all`. */
  readonly cluster?: readonly string[];
  /** Privileges on the connector indices, which 8.13 to 8.17 ask for: `read`, `write`, `all`. Default: `all` for a superuser, else none. */
  readonly indices?: readonly string[];
}

/** An API key that exists from the start. */
export interface ApiKeyOptions {
  readonly id: string;
  /** The secret half. */
  readonly key: string;
  /** Default: the id. */
  readonly name?: string;
  /** The user it belongs to. Default `elastic`. */
  readonly username?: string;
  /** Cluster privileges. Default `all`. */
  readonly cluster?: readonly string[];
  /** As for users. */
  readonly indices?: readonly string[];
}

/** Somebody who has signed in. */
export interface Principal {
  readonly username: string;
  readonly roles: readonly string[];
  readonly privileges: Privileges;
  /** Set when it was an API key that signed in. */
  readonly apiKey: ApiKey | undefined;
}

/** An API key as the cluster keeps it. */
export interface ApiKey {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly username: string;
  readonly createdMs: number;
  /** Undefined: never. */
  readonly expiresMs: number | undefined;
  readonly privileges: Privileges;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly roleDescriptors: Readonly<Record<string, unknown>>;
  invalidated: boolean;
}

interface User {
  readonly password: string;
  readonly principal: Principal;
}

/** The security of one cluster. */
export class Security {
  readonly apiKeys: Map<string, ApiKey> = new Map();
  readonly #users = new Map<string, User>();
  readonly #version: VersionTraits;

  /**
   * @param options - Who exists.
   * @param version - Decides which privileges are asked for.
   */
  constructor(options: SecurityOptions, version: VersionTraits) {
    this.#version = version;
    for (const user of options.users ?? [{ name: 'elastic', password: 'changeme' }]) {
      const privileges = privilegesOf(user.cluster, user.indices);
      const roles = user.roles ?? [privileges.cluster.includes('all') ? 'superuser' : user.name];
      this.#users.set(user.name, {
        password: user.password,
        principal: { username: user.name, roles, privileges, apiKey: undefined },
      });
    }
    for (const key of options.apiKeys ?? []) {
      this.#keep({
        id: key.id,
        key: key.key,
        name: key.name ?? key.id,
        username: key.username ?? 'elastic',
        expiresMs: undefined,
        privileges: privilegesOf(key.cluster, key.indices),
        metadata: {},
        roleDescriptors: {},
      });
    }
  }

  /**
   * Finds out who is asking.
   *
   * @param uri - Path and query as sent, for the complaint.
   * @throws ServerException 401.
   */
  authenticate(headers: IncomingHttpHeaders, uri: string): Principal {
    const [scheme = '', credentials = ''] = (headers.authorization ?? '').split(/\s+/, 2);
    switch (scheme.toLowerCase()) {
      case 'basic':
        return this.#authenticateUser(credentials, uri);
      case 'apikey':
        return this.#authenticateKey(credentials);
      case 'bearer':
        throw this.unauthenticated(unknownCredentials);
      default:
        throw this.unauthenticated(`missing authentication credentials for REST request [${uri}]`);
    }
  }

  /** @throws ServerException 403 where the action is not granted. */
  authorize(principal: Principal, action: string): void {
    const refusal = refuseAction(principal.privileges, action, this.#version);
    if (refusal === undefined) return;
    const who =
      principal.apiKey === undefined
        ? `user [${principal.username}] with effective roles [${principal.roles.join(',')}]`
        : `API key id [${principal.apiKey.id}] of user [${principal.username}]`;
    throw new ServerException(403, {
      type: 'security_exception',
      reason:
        `action [${refusal.action}] is unauthorized for ${who}${refusal.onIndices}, ` +
        `this action is granted by the ${refusal.granting}`,
    });
  }

  /** Makes a key for a principal; it can do no more than they can. */
  createApiKey(
    owner: Principal,
    request: Pick<ApiKey, 'name' | 'expiresMs' | 'metadata' | 'roleDescriptors'> & {
      readonly wanted: Privileges | undefined;
    },
  ): ApiKey {
    const { wanted, ...rest } = request;
    const held = owner.privileges;
    return this.#keep({
      ...rest,
      id: newDocumentId(),
      key: randomBytes(16).toString('base64url'),
      username: owner.username,
      privileges:
        wanted === undefined
          ? held
          : {
              cluster: wanted.cluster.filter((name) => includesClusterPrivilege(held.cluster, name)),
              indices: held.cluster.includes('all') ? wanted.indices : held.indices,
            },
    });
  }

  /** A 401 with its challenges. */
  unauthenticated(reason: string): ServerException {
    const comma = this.#version.commaInBasicChallenge ? ',' : '';
    return new ServerException(401, {
      type: 'security_exception',
      reason,
      header: {
        'WWW-Authenticate': [
          `Basic realm="security"${comma} charset="UTF-8"`,
          'Bearer realm="security"',
          'ApiKey',
        ],
      },
    });
  }

  #keep(key: Omit<ApiKey, 'createdMs' | 'invalidated'>): ApiKey {
    const kept = { ...key, createdMs: Date.now(), invalidated: false };
    this.apiKeys.set(kept.id, kept);
    return kept;
  }

  #authenticateUser(credentials: string, uri: string): Principal {
    const [name, password] = splitCredentials(credentials);
    const user = this.#users.get(name);
    if (user !== undefined && user.password === password) return user.principal;
    throw this.unauthenticated(`unable to authenticate user [${name}] for REST request [${uri}]`);
  }

  #authenticateKey(credentials: string): Principal {
    const [id, secret] = splitCredentials(credentials);
    const key = this.apiKeys.get(id);
    const isGood =
      key !== undefined &&
      key.key === secret &&
      !key.invalidated &&
      (key.expiresMs === undefined || key.expiresMs > Date.now());
    if (!isGood) throw this.unauthenticated(unknownCredentials);
    return { username: key.username, roles: [], privileges: key.privileges, apiKey: key };
  }
}

const unknownCredentials =
  'unable to authenticate with provided credentials and anonymous access is not allowed for this request';

function splitCredentials(encoded: string): [string, string] {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

function privilegesOf(
  cluster: readonly string[] | undefined,
  indices: readonly string[] | undefined,
): Privileges {
  const held = cluster ?? ['all'];
  return { cluster: held, indices: indices ?? (held.includes('all') ? ['all'] : []) };
}
