import { Client, type ClientOptions } from '@elastic/elasticsearch';
import type { NodePool } from './node-pool.ts';

/** The nodes of a cluster, and the connections to them. */
export interface Nodes {
  readonly pool: NodePool;
  /** Lets open requests end, each by its timeout at the latest, and closes every socket. May be repeated. */
  close(): Promise<void>;
}

/**
 * Has the official client make the connections: it knows how each way to authenticate is written, what a client says
 * of itself, and how the address of a node is read. Nothing is sent before the first request.
 */
export function openNodes(options: ClientOptions & { readonly ConnectionPool: typeof NodePool }): Nodes {
  const client = new Client(options);
  return { pool: client.connectionPool as NodePool, close: () => client.close() };
}
