import {
  BaseConnection,
  BaseConnectionPool,
  type Connection,
  type GetConnectionOptions,
} from '@elastic/elasticsearch';
import type { NodeConnection } from './node-connection.ts';

/** How long a node that failed is passed over at first, in milliseconds; doubled with every further failure. */
const FIRST_PAUSE_MS = 1_000;

/** Longest time a node is passed over, in milliseconds. */
const LONGEST_PAUSE_MS = 30_000;

const { ALIVE, DEAD } = BaseConnection.statuses as { readonly ALIVE: string; readonly DEAD: string };

/**
 * Which node is asked next: the living in turn. A dead one is passed over for a pause, then one request
 * finds out whether it is back. Where all are dead they are asked in turn, so that the first request after
 * an outage gets through.
 *
 * The client brings two pools, and neither suits a worker that never repeats a request by itself. The one
 * it uses asks a dead node again after nine requests. The other counts each of the requests that were under
 * way when a node failed as a failure of its own, and shuts the node out for half an hour over one blip.
 */
export class NodePool extends BaseConnectionPool {
  #turn = 0;

  /** Made by the client, of the class that it is given together with this pool. */
  declare connections: NodeConnection[];

  override getConnection({ now }: Pick<GetConnectionOptions, 'now'>): NodeConnection | null {
    const { connections } = this;
    for (let step = 0; step < connections.length; step += 1) {
      const node = connections[(this.#turn + step) % connections.length];
      if (node === undefined || (node.status !== ALIVE && now < node.resurrectTimeout)) continue;
      // Only this one request tries it; the others go on passing it over.
      if (node.status !== ALIVE) pause(node, now);
      this.#turn += step + 1;
      return node;
    }
    this.#turn += 1;
    return connections[this.#turn % connections.length] ?? null;
  }

  override markAlive(node: Connection): this {
    node.deadCount = 0;
    node.resurrectTimeout = 0;
    return super.markAlive(node);
  }

  override markDead(node: Connection): this {
    // Requests that were under way when it failed say nothing new.
    if (node.status === DEAD) return this;
    pause(node, Date.now());
    return super.markDead(node);
  }
}

function pause(node: Connection, nowMs: number): void {
  node.resurrectTimeout = nowMs + Math.min(FIRST_PAUSE_MS * 2 ** node.deadCount, LONGEST_PAUSE_MS);
  node.deadCount += 1;
}
