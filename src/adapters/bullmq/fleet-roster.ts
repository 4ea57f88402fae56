import type { Redis } from 'ioredis';
import type { FleetRoster, WorkerSign } from '../../pipeline/fleet-ports.ts';
import { jsonOf } from './json-of.ts';
import type { QueueNames } from './names.ts';

/** A worker that has been silent for so long counts as gone, in milliseconds; clocks may differ by a part of it. */
const SILENT_MS = 15_000;

/** Who works: one hash with a field for each worker, which expires with the last of them. */
export function openFleetRoster(redis: Redis, names: QueueNames): FleetRoster {
  const key = `${names.prefix}:workers`;
  return {
    async sign(worker) {
      const gone = await silent(worker.seenAtMs);
      const transaction = redis.multi().hset(key, worker.name, JSON.stringify(worker));
      if (gone.length > 0) transaction.hdel(key, ...gone);
      await transaction.pexpire(key, SILENT_MS).exec();
    },
    async leave(name) {
      await redis.hdel(key, name);
    },
    async list(nowMs) {
      const signs = Object.values(await redis.hgetall(key)).map((text) => signOf(text));
      return signs
        .filter((sign) => sign !== undefined)
        .filter(({ seenAtMs }) => nowMs - seenAtMs < SILENT_MS)
        .sort((one, other) => one.name.localeCompare(other.name));
    },
  };

  /** The names of those who died without leaving. */
  async function silent(nowMs: number): Promise<readonly string[]> {
    return Object.entries(await redis.hgetall(key))
      .filter(([, text]) => nowMs - (signOf(text)?.seenAtMs ?? 0) >= SILENT_MS)
      .map(([name]) => name);
  }
}

/** What is not ours to read counts as not there. */
function signOf(text: string): WorkerSign | undefined {
  const sign = jsonOf(text) as Partial<WorkerSign> | null | undefined;
  const isSign =
    typeof sign?.name === 'string' &&
    typeof sign.seenAtMs === 'number' &&
    typeof sign.concurrency === 'number';
  return isSign ? (sign as WorkerSign) : undefined;
}
