import { backlog } from './backlog.ts';
import { batch } from './batch.ts';
import { bytes } from './bytes.ts';
import { delay } from './delay.ts';
import { enqueue } from './enqueue.ts';
import type { Measure } from './measure.ts';
import { memory } from './memory.ts';
import { outage } from './outage.ts';
import { startUp } from './start-up.ts';
import { throughput } from './throughput.ts';
import { workers } from './workers.ts';

/** All measures, in the order they run in. */
export const MEASURES: readonly Measure[] = [
  ...throughput,
  enqueue,
  delay,
  memory,
  bytes,
  backlog,
  workers,
  outage,
  startUp,
  batch,
];
