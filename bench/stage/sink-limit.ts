import { fileURLToPath } from 'node:url';
import { startChild } from './child.ts';
import type { Sink } from './sink.ts';
import { usageOf } from './usage.ts';

/** What the server can do by itself. */
export interface SinkLimit {
  readonly perSecond: number;
  /** CPU time a request, in microseconds. */
  readonly cpuMicros: number;
}

/** Loads the server with requests over raw sockets, as many as it takes, from a process that does nothing else. */
export async function measureSink(sink: Sink, warmUp: number, measured: number): Promise<SinkLimit> {
  await sink.reset();
  await using load = startChild(
    { args: [fileURLToPath(new URL('raw-load-process.ts', import.meta.url)), sink.url], env: {} },
    { name: 'raw load' },
  );
  const from = await load.during(sink.reach(warmUp));
  const before = usageOf(sink.pid).cpuMs;
  const to = await load.during(sink.reach(warmUp + measured));
  const cpuMs = usageOf(sink.pid).cpuMs - before;
  const done = to.count - from.count;
  return { perSecond: (done * 1_000) / (to.atMs - from.atMs), cpuMicros: (cpuMs * 1_000) / done };
}
