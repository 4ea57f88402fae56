import { bucketOf, FLOW_KEPT_MS, type FlowField } from '../domain/flow.ts';
import type { FleetCounters, FlowTally } from './fleet-ports.ts';

type Counts = Map<number, Map<FlowField, number>>;

/**
 * Counts in memory, so that nothing is asked of Redis for a report, and sends the counts when it is told to.
 *
 * @param now milliseconds since 1970
 */
export function tallyFlow(counters: Pick<FleetCounters, 'add'>, now: () => number): FlowTally {
  let pending: Counts = new Map();

  function countAt(bucketMs: number, field: FlowField, times: number): void {
    const bucket = pending.get(bucketMs) ?? new Map<FlowField, number>();
    pending.set(bucketMs, bucket);
    bucket.set(field, (bucket.get(field) ?? 0) + times);
  }

  return {
    count(fields, times = 1) {
      const bucketMs = bucketOf(now());
      for (const field of fields) countAt(bucketMs, field, times);
    },
    async flush() {
      if (pending.size === 0) return;
      const sent = pending;
      pending = new Map();
      try {
        await counters.add(sent);
      } catch (error) {
        const oldestMs = now() - FLOW_KEPT_MS;
        for (const [bucketMs, counts] of sent) {
          if (bucketMs < oldestMs) continue;
          for (const [field, times] of counts) countAt(bucketMs, field, times);
        }
        throw error;
      }
    },
  };
}
