import type { ParsedReport } from '../domain/error-report.ts';
import { reportJobId } from '../domain/job.ts';
import type { Pending } from './chunk-reports.ts';

/** The reports that a call had lately, and the sync jobs that it named. */
export class RecentReports {
  readonly #seenAtMs = new Map<string, number>();
  readonly #lastAtMs = new Map<string, number>();
  readonly #most: number;
  readonly #forMs: number;
  readonly #now: () => number;

  /**
   * @param most reports, and sync jobs, remembered at once
   * @param forMs how long, in milliseconds
   */
  constructor(most: number, forMs: number, now: () => number) {
    this.#most = most;
    this.#forMs = forMs;
    this.#now = now;
  }

  /** What is to be done with an item: its result, where that is certain, or what to ask the queue. */
  prepare(parsed: ParsedReport): Pending {
    if (parsed.kind === 'invalid') return { result: { status: 'invalid', problems: parsed.problems } };
    const { report } = parsed;
    const id = reportJobId(report);
    const nowMs = this.#now();
    const seenAtMs = this.#seenAtMs.get(id);
    if (seenAtMs !== undefined && nowMs - seenAtMs < this.#forMs)
      return { result: { status: 'duplicate', id } };
    putLast(this.#seenAtMs, id, nowMs, this.#most);
    return { ask: { id, report, enqueuedAtMs: this.#acceptedAtMs(report.connector_sync_job_id, nowMs) } };
  }

  /** Reports for one sync job get different times, so that workers can tell which came first. */
  #acceptedAtMs(syncJobId: string, nowMs: number): number {
    const lastAtMs = this.#lastAtMs.get(syncJobId);
    const acceptedAtMs = lastAtMs === undefined ? nowMs : Math.max(nowMs, lastAtMs + 1);
    putLast(this.#lastAtMs, syncJobId, acceptedAtMs, this.#most);
    return acceptedAtMs;
  }
}

/** Makes the entry the latest, and forgets the oldest where there are too many: Maps keep their order. */
function putLast(entries: Map<string, number>, key: string, value: number, most: number): void {
  entries.delete(key);
  entries.set(key, value);
  if (entries.size <= most) return;
  const oldest = entries.keys().next();
  if (oldest.done !== true) entries.delete(oldest.value);
}
