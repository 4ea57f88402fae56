import type { ParsedReport } from '../domain/error-report.ts';
import type { EnqueueResult } from './enqueue-reports.ts';

/** Hands in one report; what comes at the same moment from others goes to the queue together with it. */
export type AcceptReport = (report: ParsedReport) => Promise<EnqueueResult>;

/** Calls to the queue under way at once; what comes meanwhile waits for the next call. */
const MOST_CALLS = 4;

/**
 * Makes many small calls into few large ones: thousands of single reports a second cost the queue a few
 * hundred transactions. Nobody waits for company, only for the turn of the event loop.
 *
 * @param enqueue enqueues reports and yields a result for each, in their order
 */
export function gatherReports(
  enqueue: (reports: readonly ParsedReport[]) => AsyncIterable<EnqueueResult>,
): AcceptReport {
  let waiting: Waiting[] = [];
  let calls = 0;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || calls >= MOST_CALLS || waiting.length === 0) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      const together = waiting;
      waiting = [];
      void send(together);
    });
  }

  async function send(together: readonly Waiting[]): Promise<void> {
    calls++;
    let done = 0;
    try {
      for await (const result of enqueue(together.map(({ report }) => report)))
        together[done++]?.resolve(result);
      for (const { reject } of together.slice(done)) reject(new Error('the queue gave too few answers'));
    } catch (error) {
      for (const { reject } of together.slice(done)) reject(error);
    } finally {
      calls--;
      schedule();
    }
  }

  return (report) => {
    const { promise, resolve, reject } = Promise.withResolvers<EnqueueResult>();
    waiting.push({ report, resolve, reject });
    schedule();
    return promise;
  };
}

interface Waiting {
  readonly report: ParsedReport;
  readonly resolve: (result: EnqueueResult) => void;
  readonly reject: (error: unknown) => void;
}
