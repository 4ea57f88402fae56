import type { Redis } from 'ioredis';
import type { SharedCircuit } from '../../domain/circuit.ts';
import type { FleetState } from '../../pipeline/gate.ts';
import type { QueueNames } from './names.ts';

/**
 * What the workers of a fleet tell each other, in three keys beside the queue. Each expires by itself, so
 * that a fleet that died in an outage does not come back into it.
 *
 * @param worker who says it, for people who look
 */
export function openFleetState(redis: Redis, names: QueueNames, worker: string): FleetState {
  const circuitKey = `${names.prefix}:circuit`;
  const holdKey = `${names.prefix}:hold`;
  const probeKey = `${names.prefix}:probe`;
  return {
    async look() {
      const [circuit, hold] = await redis.mget(circuitKey, holdKey);
      return { circuit: parseCircuit(circuit ?? null), holdUntilMs: Number(hold ?? 0) };
    },
    async sayOpen({ sinceMs, code }, ttlMs) {
      await redis.set(circuitKey, JSON.stringify({ sinceMs, code, worker }), 'PX', ttlMs);
    },
    async sayClosed() {
      await redis.del(circuitKey);
    },
    async takeProbe(intervalMs) {
      return (await redis.set(probeKey, worker, 'PX', intervalMs, 'NX')) === 'OK';
    },
    async sayHold(untilMs) {
      const known = Number((await redis.get(holdKey)) ?? 0);
      if (untilMs > known) await redis.set(holdKey, String(untilMs), 'PXAT', untilMs);
    },
  };
}

/** What is not ours to read counts as not said. */
function parseCircuit(text: string | null): SharedCircuit {
  if (text === null) return undefined;
  try {
    const said: unknown = JSON.parse(text);
    if (typeof said !== 'object' || said === null || !('sinceMs' in said) || !('code' in said))
      return undefined;
    const { sinceMs, code } = said;
    return typeof sinceMs === 'number' && typeof code === 'string' ? { sinceMs, code } : undefined;
  } catch {
    return undefined;
  }
}
