import { setTimeout as sleep } from 'node:timers/promises';
import type { SettledCounts } from '../judge/evidence.ts';
import type { Fleet, Slot } from './fleet.ts';

const NAME = 'sync_error_relay_reports_settled_total';
const SAMPLE = new RegExp(`^${NAME}\\{outcome="(\\w+)",code="(\\w+)"\\} (\\d+)$`, 'gm');
/** A line in a log and a number in a metric are not written in the same moment. */
const STEADY_MS = 250;
const ANSWER_TIMEOUT_MS = 5_000;

/** What each process that runs says it has settled, where it can be asked. */
export async function readSettled({ slots }: Fleet): Promise<SettledCounts[]> {
  await sleep(STEADY_MS);
  return (await Promise.all(slots.map(readSlot))).flat();
}

async function readSlot({ worker }: Slot): Promise<SettledCounts[]> {
  if (worker === undefined || worker.exit !== undefined) return [];
  const started = await worker.line('worker started');
  const address = started?.fields['address'];
  if (typeof address !== 'string') return [];
  const response = await fetch(`${address}/metrics`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
  const counts: Record<string, number> = {};
  for (const [, outcome = '', code = '', count] of (await response.text()).matchAll(SAMPLE)) {
    counts[outcome === 'dead_letter' ? code : outcome] = Number(count);
  }
  return [{ slot: worker.slot, incarnation: worker.incarnation, counts }];
}
