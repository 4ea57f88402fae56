/** Which names an index can have, and which connectors may have them. */
import type { Cluster } from '../cluster/cluster.ts';
import { type ServerException, statusException } from '../errors/server-exception.ts';

/** The prefix of indices whose connectors Elastic runs. */
export const managedPrefix = 'content-';

const maxNameBytes = 255;

/** The complaint about a name no index can have, in an array of one, else none. */
export function indexNameProblems(name: unknown): string[] {
  const problem = typeof name === 'string' ? describeProblem(name) : undefined;
  if (problem === undefined) return [];
  // The complaint is the exception as Java prints it (source: `ConnectorActionRequest`).
  return [
    `[${name}] org.elasticsearch.indices.InvalidIndexNameException: Invalid index name [${name}], ${problem}`,
  ];
}

/** Source: `MetadataCreateIndexService.validateIndexOrAliasName`, general knowledge. */
function describeProblem(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  if (/[\\/*?"<>| ,]/.test(name)) {
    return `must not contain the following characters ['\\\\','/','*','?','\\"','<','>','|',' ',',']`;
  }
  if (name.includes('#')) return "must not contain '#'";
  if (name.includes(':')) return "must not contain ':'";
  if (/^[_\-+]/.test(name)) return "must not start with '_', '-', or '+'";
  const bytes = Buffer.byteLength(name);
  if (bytes > maxNameBytes) return `index name is too long, (${bytes} > ${maxNameBytes})`;
  return name === '.' || name === '..' ? "must not be '.' or '..'" : undefined;
}

/** 400 where another connector that is not deleted has the index, else undefined. */
export function refuseIndexInUse(
  cluster: Cluster,
  name: unknown,
  id: string | undefined,
): ServerException | undefined {
  if (typeof name !== 'string') return undefined;
  for (const [otherId, { source }] of cluster.connectors.documents) {
    if (otherId !== id && source['index_name'] === name && source['deleted'] !== true) {
      return statusException(`Index name [${name}] is used by another connector.`);
    }
  }
  return undefined;
}

/** Whether an Elastic-managed connector may not have this index. */
export function lacksManagedPrefix(cluster: Cluster, name: unknown): boolean {
  return cluster.version.wantsManagedPrefix && typeof name === 'string' && !name.startsWith(managedPrefix);
}
