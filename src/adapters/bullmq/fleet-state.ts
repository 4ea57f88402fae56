import type { Redis } from 'ioredis';
import { MAX_RETRY_AFTER_MS } from '../../domain/backoff.ts';
import type { SharedCircuit } from '../../domain/circuit.ts';
import type { FleetState } from '../../pipeline/gate.ts';
import type { QueueNames } from './names.ts';

/** A hold is how long its key lasts, so that the clocks of the workers need not agree. */
const EXTEND_HOLD = `
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end`;

/**
 * What the workers of a fleet tell each other, in three keys beside the queue. Each expires by itself, so
 * that a fleet that died in an outage does not come back into it. A key that would last longer than any of
 * ours is not ours.
 *
 * @param worker who says it, for people who look
 */
export function openFleetState(redis: Redis, names: QueueNames, worker: string): FleetState {
  const circuitKey = `${names.prefix}:circuit`;
  const holdKey = `${names.prefix}:hold`;
  const probeKey = `${names.prefix}:probe`;
  return {
    async look() {
      const [circuit, holdForMs] = await Promise.all([redis.get(circuitKey), redis.pttl(holdKey)]);
      return {
        circuit: parseCircuit(circuit),
        holdForMs: holdForMs > MAX_RETRY_AFTER_MS ? 0 : Math.max(0, holdForMs),
      };
    },
    async sayOpen({ sinceMs, code }, ttlMs) {
      await redis.set(circuitKey, JSON.stringify({ sinceMs, code, worker }), 'PX', ttlMs);
    },
    async keepOpen(ttlMs) {
      await redis.pexpire(circuitKey, ttlMs);
    },
    async sayClosed() {
      await redis.del(circuitKey);
    },
    async takeProbe(intervalMs) {
      return (await redis.set(probeKey, worker, 'PX', intervalMs, 'NX')) === 'OK';
    },
    async sayHold(forMs) {
      await redis.eval(EXTEND_HOLD, 1, holdKey, worker, forMs);
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
