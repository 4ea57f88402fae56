import { setTimeout as sleep } from 'node:timers/promises';
import type { Slot } from './fleet.ts';

/** One look at a worker's health. */
export interface HealthLook {
  readonly atMs: number;
  readonly answeredAtMs: number;
  readonly path: '/livez' | '/readyz';
  /** 0 where nothing answered. */
  readonly status: number;
  readonly body: string;
}

/** Looks at a worker again and again until it is told to stop. */
export interface HealthWatch {
  readonly looks: readonly HealthLook[];
  stop(): Promise<void>;
}

const EVERY_MS = 250;
const ANSWER_TIMEOUT_MS = 4_000;

/** Watches the worker in a slot; it must have started. */
export async function watchHealth(slot: Slot): Promise<HealthWatch> {
  const address = (await slot.worker?.line('worker started'))?.fields['address'];
  if (typeof address !== 'string') throw new Error(`worker ${slot.index} serves no health endpoints`);
  const looks: HealthLook[] = [];
  const stopping = new AbortController();
  const look = async (path: HealthLook['path']): Promise<void> => {
    const atMs = Date.now();
    try {
      const response = await fetch(`${address}${path}`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
      const body = await response.text();
      looks.push({ atMs, answeredAtMs: Date.now(), path, status: response.status, body });
    } catch {
      looks.push({ atMs, answeredAtMs: Date.now(), path, status: 0, body: '' });
    }
  };
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await Promise.all([look('/livez'), look('/readyz')]);
      await sleep(EVERY_MS);
    }
  })();
  return {
    looks,
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}
