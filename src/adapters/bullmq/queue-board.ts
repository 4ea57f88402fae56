import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { unavailable } from './describe-fault.ts';
import type { QueueNames } from './names.ts';

/** BullMQ's queue as Bull Board takes it. */
export interface QueueBoard {
  /**
   * The queue, read-only; opened once, and only where Redis answers, because BullMQ remembers for ever that it did
   * not.
   *
   * @throws {RedisUnavailable}
   */
  open(): Promise<BullMQAdapter>;
  /** Lets go of the queue; the connection stays its owner's. */
  close(): Promise<void>;
}

/** What Bull Board looks through. */
export function queueBoard(redis: Redis, names: QueueNames): QueueBoard {
  let queue: Queue | undefined;
  return {
    async open() {
      try {
        await redis.ping();
        queue ??= openQueue(redis, names);
        await queue.waitUntilReady();
        return new BullMQAdapter(queue, { readOnlyMode: true });
      } catch (cause) {
        await queue?.close().catch(() => undefined);
        queue = undefined;
        throw unavailable(redis, cause);
      }
    },
    async close() {
      await queue?.close().catch(() => undefined);
    },
  };
}

function openQueue(redis: Redis, names: QueueNames): Queue {
  const queue = new Queue(names.queue, {
    connection: redis,
    prefix: names.prefix,
    skipWaitingForReady: true,
    // Version and eviction policy are ours to judge; BullMQ would write to the console.
    skipVersionCheck: true,
  });
  // The connection's owner hears of its faults already.
  queue.on('error', () => undefined);
  return queue;
}
