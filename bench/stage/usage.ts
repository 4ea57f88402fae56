import { readFileSync } from 'node:fs';

/** What a process has used of the machine so far. */
export interface Usage {
  /** On all cores together. */
  readonly cpuMs: number;
  readonly rssMiB: number;
  readonly peakRssMiB: number;
}

/** Linux tells CPU time to programs in hundredths of a second, whatever its own clock is. */
const MS_A_TICK = 10;

/**
 * Reads it, of Linux alone.
 *
 * @throws {Error} where there is no such process, or no Linux
 */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name before the parenthesis may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1_024;
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_A_TICK,
    rssMiB: mebibytes('VmRSS'),
    peakRssMiB: mebibytes('VmHWM'),
  };
}
