/**
 * Which privileges grant which actions.
 *
 * Sources: Elasticsearch's cluster privileges (general knowledge); for connectors PRs 105289, 110128
 * and 119389: plain cluster actions in 8.12, privileges on the connector indices up to 8.17,
 * `manage_connector` and `monitor_connector` since.
 */
import type { VersionTraits } from '../version.ts';

const connectorPrefix = 'cluster:admin/xpack/connector/';
const readActions = new Set(['get', 'list', 'sync_job/get', 'sync_job/list']);

type Grants = (action: string) => boolean;

const isConnectorRead: Grants = (action) =>
  action.startsWith(connectorPrefix) && readActions.has(action.slice(connectorPrefix.length));

/** From the least to the most powerful, which is the order refusals list them in. */
const clusterPrivileges: Readonly<Record<string, Grants>> = {
  monitor_connector: isConnectorRead,
  manage_connector: (action) => action.startsWith(connectorPrefix),
  manage_own_api_key: (action) => action.startsWith('cluster:admin/xpack/security/api_key/'),
  manage_api_key: (action) => action.startsWith('cluster:admin/xpack/security/api_key/'),
  manage_security: (action) => action.startsWith('cluster:admin/xpack/security/'),
  monitor: (action) => action.startsWith('cluster:monitor/'),
  manage: (action) => action.startsWith('cluster:') && !action.startsWith('cluster:admin/xpack/security/'),
  all: () => true,
};

/** Privileges on the connector indices. */
const indexPrivileges: Readonly<Record<string, (isRead: boolean) => boolean>> = {
  read: (isRead) => isRead,
  write: (isRead) => !isRead,
  all: () => true,
};

/** What somebody may do. */
export interface Privileges {
  /** Names of cluster privileges. */
  readonly cluster: readonly string[];
  /** Names of privileges on the connector indices: `read`, `write`, `all`. */
  readonly indices: readonly string[];
}

/** Every cluster privilege the model knows, with whether the version has it. */
export function knownClusterPrivileges(version: VersionTraits): string[] {
  return Object.keys(clusterPrivileges).filter(
    (name) => version.privileges === 'manage_connector' || !name.endsWith('_connector'),
  );
}

/** Whether one cluster privilege includes another. */
export function includesClusterPrivilege(held: readonly string[], wanted: string): boolean {
  if (held.includes(wanted) || held.includes('all')) return true;
  if (wanted === 'monitor_connector' && held.includes('manage_connector')) return true;
  if (wanted === 'manage_own_api_key' && held.includes('manage_api_key')) return true;
  if (held.includes('manage_security') && wanted.endsWith('_api_key')) return true;
  return held.includes('manage') && /^(monitor|monitor_connector|manage_connector)$/.test(wanted);
}

/** The refusal's second half where an action is not granted, or undefined where it is. */
export function refuseAction(
  held: Privileges,
  action: string,
  version: VersionTraits,
): { readonly action: string; readonly onIndices: string; readonly granting: string } | undefined {
  if (version.privileges === 'index' && action.startsWith(connectorPrefix)) {
    return refuseIndexAction(held, action);
  }
  if (action.startsWith('indices:')) return refuseDocumentAction(held, action);
  const known = knownClusterPrivileges(version);
  const granting = known.filter((name) => clusterPrivileges[name]?.(action) === true);
  if (granting.some((name) => held.cluster.includes(name))) return undefined;
  return { action, onIndices: '', granting: `cluster privileges [${granting.join(',')}]` };
}

/** Direct access to the connector indices. */
function refuseDocumentAction(
  held: Privileges,
  action: string,
): { readonly action: string; readonly onIndices: string; readonly granting: string } | undefined {
  const privilege = action.startsWith('indices:data/read/') ? 'read' : 'write';
  if (held.cluster.includes('all') || held.indices.some((name) => name === privilege || name === 'all')) {
    return undefined;
  }
  return {
    action,
    onIndices: ' on indices [.elastic-connectors*]',
    granting: `index privileges [${privilege},all]`,
  };
}

function refuseIndexAction(
  held: Privileges,
  action: string,
): { readonly action: string; readonly onIndices: string; readonly granting: string } | undefined {
  const isRead = isConnectorRead(action);
  const granting = Object.keys(indexPrivileges).filter((name) => indexPrivileges[name]?.(isRead) === true);
  if (granting.some((name) => held.indices.includes(name)) || held.cluster.includes('all')) return undefined;
  const name = action.slice(connectorPrefix.length);
  const index = name.startsWith('sync_job/') ? '.elastic-connectors-sync-jobs-v1' : '.elastic-connectors-v1';
  return {
    action: `indices:data/${isRead ? 'read' : 'write'}/xpack/connector/${name}`,
    onIndices: ` on indices [${index}]`,
    granting: `index privileges [${granting.join(',')}]`,
  };
}
