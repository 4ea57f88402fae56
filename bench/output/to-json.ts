import { summaryOf } from '../figures/statistics.ts';
import type { Results } from '../run-measures.ts';

/** Everything as one object: an entry a goal under its own name, and beside them what was measured. */
export function toJson(results: Results): Readonly<Record<string, unknown>> {
  const { size, rounds, tookSeconds, machine, sink, judgements, figures } = results;
  return {
    ...Object.fromEntries(
      judgements.map(({ key, ratio, median, min, max, unit, goal, holds, text }) => [
        key,
        { ratio, goal, holds, value: median, min, max, unit, text },
      ]),
    ),
    all_hold: judgements.every(({ holds }) => holds),
    size,
    rounds,
    took_seconds: tookSeconds,
    machine: {
      cores: machine.cores,
      cpu: machine.cpu,
      memory_gib: machine.memoryGiB,
      system: machine.system,
      node: machine.node,
      redis: machine.redis,
    },
    server: { requests_per_second: sink.perSecond, cpu_us: sink.cpuMicros },
    figures: Object.fromEntries(
      [...figures].map(([key, { title, unit, samples }]) => [
        key,
        { title, unit, ...summaryOf(samples), samples },
      ]),
    ),
  };
}
