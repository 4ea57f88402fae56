import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** What the bench ran on. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly redis: string;
}

/** Describes this machine, and nothing that names it. */
export function describeMachine(redis: string): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release().split('.').slice(0, 2).join('.')}`,
    node: process.version,
    redis,
  };
}
