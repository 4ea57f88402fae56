import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * How far the heap may grow beyond what is in use before it is collected, in percent. V8 by itself takes up to four
 * times as much.
 */
const GROWTH_PERCENT = 100;

/**
 * From which size on the young generation grows no more, in bytes: both its halves, of which one is in use at a time.
 * It doubles each time: it comes to rest at twice this where two collections come before the first of them is told of.
 * While the old generation is being marked V8 lets it run over that for a moment.
 */
const YOUNG_BYTES = 16 * 1_024 * 1_024;

/**
 * Loads a program that runs for long, and keeps the heap of this process small from then on.
 *
 * Left to itself V8 gives the young generation 128 MiB under load, and lets the old one fill with jobs that ended
 * long ago. Some of the flags that bound both only count when a process starts, and whoever calls `npx` sets none;
 * these two are looked at anew with every growth. 1. While modules are loaded, most of which stay, the young
 * generation does not grow at all. 2. Then it grows as the load demands. 3. At its bound it stays.
 *
 * Flags given to Node itself, `--max-semi-space-size` for instance, count beside them.
 */
export async function withSmallHeap<Program>(load: () => Promise<Program>): Promise<Program> {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  keepYoungGeneration();
  const program = await load();
  growYoungGeneration();
  return program;
}

function keepYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

function growYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
  // It grows at the end of a collection.
  const observer = new PerformanceObserver(() => {
    if (youngBytes() < YOUNG_BYTES) return;
    keepYoungGeneration();
    observer.disconnect();
  });
  observer.observe({ entryTypes: ['gc'] });
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}
