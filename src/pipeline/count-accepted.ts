import type { FleetCounters } from './fleet-ports.ts';
import { tallyFlow } from './tally-flow.ts';

/** How long counts wait for more of them, in milliseconds. */
const GATHER_MS = 2_000;

/** Counts the reports that one producer was told are accepted. */
export interface AcceptedCount {
  count(reports: number): void;
  /** Sends the last of it. */
  close(): Promise<void>;
}

/** Sends counts on a while after there is something to send; a producer with nothing to report asks for nothing. */
export function countAccepted(counters: Pick<FleetCounters, 'add'>, now: () => number): AcceptedCount {
  const tally = tallyFlow(counters, now);
  let timer: NodeJS.Timeout | undefined;

  // What cannot be sent is kept, and goes with what is accepted next.
  const send = (): Promise<void> => tally.flush().catch(() => undefined);

  return {
    count(reports) {
      if (reports === 0) return;
      tally.count(['accepted'], reports);
      timer ??= setTimeout(() => {
        timer = undefined;
        void send();
      }, GATHER_MS);
    },
    async close() {
      clearTimeout(timer);
      await send();
    },
  };
}
