/** What the console sees of the fleet, put together over one connection to Redis. */

import { connectRedis } from './adapters/bullmq/connect-redis.ts';
import { unavailable } from './adapters/bullmq/describe-fault.ts';
import { openFleetCounters } from './adapters/bullmq/fleet-counters.ts';
import { openFleetRoster } from './adapters/bullmq/fleet-roster.ts';
import { openFleetState } from './adapters/bullmq/fleet-state.ts';
import { queueBoard } from './adapters/bullmq/queue-board.ts';
import type { Config } from './config.ts';
import type { DoorQueue, FleetWatch } from './http/ports.ts';
import type { Relay } from './relay.ts';

/** Who looks; nothing is said to the fleet. */
const LOOKER = 'console';

/** The fleet, and BullMQ's own view of the queue. */
export interface WatchedFleet {
  readonly fleet: FleetWatch;
  readonly openBoard: NonNullable<DoorQueue['openBoard']>;
  close(): Promise<void>;
}

/** Opens it. Its connection is its own, so that no producer waits behind somebody who looks. */
export function watchFleet(
  config: Pick<Config, 'redis' | 'names'>,
  relay: Pick<Relay, 'pause' | 'resume' | 'deadLetters'>,
): WatchedFleet {
  const redis = connectRedis(config.redis.url, 'producer', () => undefined, config.redis.enqueueTimeoutMs);
  const counters = openFleetCounters(redis, config.names);
  const roster = openFleetRoster(redis, config.names);
  const state = openFleetState(redis, config.names, LOOKER);
  const board = queueBoard(redis, config.names);

  async function asking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw unavailable(redis, cause);
    }
  }

  return {
    fleet: {
      view: () =>
        asking(async () => {
          const [said, workers] = await Promise.all([state.look(), roster.list(Date.now())]);
          return { ...said, workers };
        }),
      flow: (fromMs, toMs) => asking(() => counters.read(fromMs, toMs)),
      letterCounts: () => relay.deadLetters.counts(),
      pause: relay.pause,
      resume: relay.resume,
    },
    openBoard: board.open,
    close: async () => {
      await board.close();
      await redis.release();
    },
  };
}
