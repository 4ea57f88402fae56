import type { Results } from '../run-measures.ts';
import { formatValue } from './format.ts';

/** What was run, where, and against what: a sentence a line. */
export function describeRun({ size, rounds, tookSeconds, machine, sink }: Results): readonly string[] {
  const { cores, cpu, memoryGiB, system, node, redis } = machine;
  return [
    `${size === 'full' ? 'Full size' : `Size "${size}": the figures only show that all works`}, ` +
      `${rounds} interleaved ${rounds === 1 ? 'round' : 'rounds'}, medians with least and most; it took ${tookSeconds} s.`,
    `Machine: ${cores} cores (${cpu}), ${memoryGiB} GiB, ${system}; Node ${node}, ${redis} without persistence.`,
    `The server that load runs against answers ${formatValue(sink.perSecond)} requests a second by itself, at ` +
      `${formatValue(sink.cpuMicros)} µs of CPU each; it shares the cores with what is measured, as Redis does.`,
  ];
}
