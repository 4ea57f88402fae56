/**
 * The security endpoints that clients and health checks use, in their smallest true form
 * (source: the official client's types; general knowledge of Elasticsearch).
 */
import { illegalArgument, parseFailure, type ServerException } from '../errors/server-exception.ts';
import { anything, boolean, object, string, stringArray } from '../json/field-types.ts';
import { parseBody } from '../json/object-parser.ts';
import { isObject, type JsonObject } from '../json/read-value.ts';
import type { Call, Prepared } from '../route.ts';
import { includesClusterPrivilege, knownClusterPrivileges, type Privileges } from './privileges.ts';
import type { ApiKey, Principal, Security } from './security.ts';

/** GET `_security/_authenticate`. */
export function authenticate(call: Call): Prepared {
  return { execute: () => ({ status: 200, body: describePrincipal(signedIn(call).principal) }) };
}

function describePrincipal(principal: Principal): JsonObject {
  const { apiKey } = principal;
  const realm =
    apiKey !== undefined
      ? { name: '_es_api_key', type: '_es_api_key' }
      : principal.username === 'elastic'
        ? { name: 'reserved', type: 'reserved' }
        : { name: 'default_native', type: 'native' };
  return {
    username: principal.username,
    roles: principal.roles,
    full_name: null,
    email: null,
    metadata: realm.name === 'reserved' ? { _reserved: true } : {},
    enabled: true,
    authentication_realm: realm,
    lookup_realm: realm,
    authentication_type: apiKey === undefined ? 'realm' : 'api_key',
    ...(apiKey === undefined ? {} : { api_key: { id: apiKey.id, name: apiKey.name } }),
  };
}

/** POST and PUT `_security/api_key`. */
export function createApiKey(call: Call): Prepared {
  if (call.body.length === 0) throw parseFailure('request body is required');
  const values = parseBody(call.body, {
    name: 'api_key_request',
    fields: {
      name: { type: string, required: true },
      expiration: { type: string },
      role_descriptors: { type: object },
      metadata: { type: object },
    },
  });
  call.query.text('refresh');
  const descriptors = isObject(values['role_descriptors']) ? values['role_descriptors'] : {};
  const lifetimeMs =
    values['expiration'] === undefined ? undefined : parseDuration(String(values['expiration']));
  const name = String(values['name']);
  return {
    problems: name === '' ? ['api key name is required'] : [],
    execute: () => {
      const { security, principal } = signedIn(call);
      const key = security.createApiKey(principal, {
        name,
        expiresMs: lifetimeMs === undefined ? undefined : Date.now() + lifetimeMs,
        metadata: isObject(values['metadata']) ? values['metadata'] : {},
        roleDescriptors: descriptors,
        wanted: Object.keys(descriptors).length === 0 ? undefined : wantedPrivileges(descriptors),
      });
      return {
        status: 200,
        body: {
          id: key.id,
          name: key.name,
          ...(key.expiresMs === undefined ? {} : { expiration: key.expiresMs }),
          api_key: key.key,
          encoded: Buffer.from(`${key.id}:${key.key}`).toString('base64'),
        },
      };
    },
  };
}

/** The privileges that role descriptors name, on the cluster and on the connector indices. */
function wantedPrivileges(descriptors: JsonObject): Privileges {
  const cluster: string[] = [];
  const indices: string[] = [];
  for (const descriptor of Object.values(descriptors)) {
    if (!isObject(descriptor)) continue;
    cluster.push(...texts(descriptor['cluster']));
    const entries = descriptor['indices'] ?? descriptor['index'];
    for (const entry of Array.isArray(entries) ? entries.filter(isObject) : []) {
      const names = texts(entry['names']);
      if (names.some((name) => name === '*' || name.startsWith('.elastic-connectors'))) {
        indices.push(...texts(entry['privileges']));
      }
    }
  }
  return { cluster, indices };
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** GET `_security/api_key`, by id, name, user or owner. */
export function getApiKeys(call: Call): Prepared {
  const { query } = call;
  const matches = keyFilter(call, {
    ids: query.list('id'),
    name: query.text('name'),
    username: query.text('username'),
    owner: query.flag('owner'),
  });
  const activeOnly = query.flag('active_only');
  for (const other of ['realm_name', 'with_limited_by', 'with_profile_uid', 'typed_keys']) query.text(other);
  const id = query.list('id')[0];
  return {
    execute: () => {
      const found = [...signedIn(call).security.apiKeys.values()]
        .filter(matches)
        .filter((key) => !activeOnly || !key.invalidated);
      const isMissing = id !== undefined && found.length === 0;
      return { status: isMissing ? 404 : 200, body: { api_keys: found.map(describeKey) } };
    },
  };
}

function describeKey(key: ApiKey): JsonObject {
  return {
    id: key.id,
    name: key.name,
    type: 'rest',
    creation: key.createdMs,
    ...(key.expiresMs === undefined ? {} : { expiration: key.expiresMs }),
    invalidated: key.invalidated,
    username: key.username,
    realm: key.username === 'elastic' ? 'reserved' : 'default_native',
    realm_type: key.username === 'elastic' ? 'reserved' : 'native',
    metadata: key.metadata,
    role_descriptors: key.roleDescriptors,
  };
}

/** DELETE `_security/api_key`. */
export function invalidateApiKeys(call: Call): Prepared {
  if (call.body.length === 0) throw parseFailure('request body is required');
  const values = parseBody(call.body, {
    name: 'invalidate_api_key',
    fields: {
      id: { type: string },
      ids: { type: stringArray },
      name: { type: string },
      owner: { type: boolean },
      realm_name: { type: string },
      username: { type: string },
    },
  });
  const single = values['id'];
  const ids = [...texts(values['ids']), ...texts(single)];
  const { name, username, owner } = values;
  const isEmpty = ids.length === 0 && name === undefined && username === undefined && owner !== true;
  return {
    problems:
      isEmpty && values['realm_name'] === undefined
        ? [
            'One of [api key id(s), api key name, username, realm name] must be specified if [owner] flag is false',
          ]
        : [],
    execute: () => {
      const matches = keyFilter(call, {
        ids,
        name: typeof name === 'string' ? name : undefined,
        username: typeof username === 'string' ? username : undefined,
        owner: owner === true,
      });
      const invalidated: string[] = [];
      const previously: string[] = [];
      for (const key of signedIn(call).security.apiKeys.values()) {
        if (!matches(key)) continue;
        (key.invalidated ? previously : invalidated).push(key.id);
        key.invalidated = true;
      }
      return {
        status: ids.length > 0 && invalidated.length + previously.length === 0 ? 404 : 200,
        body: {
          invalidated_api_keys: invalidated,
          previously_invalidated_api_keys: previously,
          error_count: 0,
        },
      };
    },
  };
}

function keyFilter(
  call: Call,
  wanted: {
    readonly ids: readonly string[];
    readonly name: string | undefined;
    readonly username: string | undefined;
    readonly owner: boolean;
  },
): (key: ApiKey) => boolean {
  const prefix = wanted.name?.endsWith('*') === true ? wanted.name.slice(0, -1) : undefined;
  return (key) =>
    (wanted.ids.length === 0 || wanted.ids.includes(key.id)) &&
    (prefix !== undefined
      ? key.name.startsWith(prefix)
      : wanted.name === undefined || key.name === wanted.name) &&
    (wanted.username === undefined || key.username === wanted.username) &&
    (!wanted.owner || key.username === call.principal?.username);
}

/** GET and POST `_security/user/_has_privileges`. */
export function hasPrivileges(call: Call): Prepared {
  if (call.body.length === 0) throw parseFailure('request body is required');
  const values = parseBody(call.body, {
    name: 'has_privileges_request',
    fields: { cluster: { type: stringArray }, index: { type: anything }, application: { type: anything } },
  });
  const known = knownClusterPrivileges(call.cluster.version);
  const cluster = texts(values['cluster']);
  const unknown = cluster.find((name) => !known.includes(name) && !name.startsWith('cluster:'));
  if (unknown !== undefined) throw unknownPrivilege(unknown, known);
  const entries = Array.isArray(values['index']) ? values['index'].filter(isObject) : [];
  return {
    execute: () => {
      const { principal } = signedIn(call);
      const held = principal.privileges;
      const onCluster = Object.fromEntries(
        cluster.map((name) => [name, includesClusterPrivilege(held.cluster, name)]),
      );
      const onIndices: Record<string, Record<string, boolean>> = {};
      for (const entry of entries) {
        for (const name of texts(entry['names'])) {
          const answers = onIndices[name] ?? {};
          for (const privilege of texts(entry['privileges'])) {
            answers[privilege] = held.indices.includes('all') || held.indices.includes(privilege);
          }
          onIndices[name] = answers;
        }
      }
      const everything = [onCluster, ...Object.values(onIndices)].flatMap((answers) =>
        Object.values(answers),
      );
      return {
        status: 200,
        body: {
          username: principal.username,
          has_all_requested: everything.every(Boolean),
          cluster: onCluster,
          index: onIndices,
          application: {},
        },
      };
    },
  };
}

function unknownPrivilege(name: string, known: readonly string[]): ServerException {
  return illegalArgument(
    `unknown cluster privilege [${name}]. a privilege must be either one of the predefined cluster privilege ` +
      `names [${[...known].sort().join(',')}] or a pattern over one of the available cluster actions`,
  );
}

/** These routes exist only where security is on, so somebody has signed in. */
function signedIn(call: Call): { readonly security: Security; readonly principal: Principal } {
  const { cluster, principal } = call;
  if (cluster.security === undefined || principal === undefined) {
    throw new Error('stand-in: a security endpoint was reached with security off');
  }
  return { security: cluster.security, principal };
}

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function parseDuration(written: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(written);
  const unit = durationUnits[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    throw illegalArgument(
      `failed to parse setting [expiration] with value [${written}] as a time value: unit is missing or unrecognized`,
    );
  }
  return Number(match[1]) * unit;
}
