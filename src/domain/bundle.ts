/**
 * Several reports in one job of the queue. A bundle is an envelope and nothing more: it saves the queue most of
 * its work, and is opened before anything is decided about the reports in it.
 */

/** A report in a bundle, as it lies there; the report itself comes from outside and may be anything. */
export interface Bundled<Report = unknown> {
  /** The id that its job would have. */
  readonly id: string;
  /** When it was accepted, in milliseconds since 1970. */
  readonly enqueuedAtMs: number;
  readonly report: Report;
  /** The trace it belongs to, where reports are followed. */
  readonly trace?: string;
}

/** How large a bundle may be. */
export interface BundleLimits {
  /** Most reports in one. */
  readonly reports: number;
  /** Most bytes of error texts in one; a report with more goes alone. */
  readonly bytes: number;
}

/**
 * A hundred reports make the queue's own cost small beside that of the requests; the bytes keep a bundle to what a
 * worker may hold several of.
 */
export const BUNDLE_LIMITS: BundleLimits = { reports: 100, bytes: 65_536 };

/**
 * Groups reports, in their order, into what becomes one job each: bundles of about the same size, and reports that
 * stay alone.
 *
 * @param bytesOf the bytes that count of a report
 */
export function bundlesOf<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
  limits: BundleLimits = BUNDLE_LIMITS,
): readonly (readonly Item[])[] {
  const most = Math.ceil(items.length / Math.ceil(items.length / limits.reports));
  const groups: Item[][] = [];
  let group: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    if (group.length > 0 && (group.length >= most || bytes + size > limits.bytes)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(item);
    bytes += size;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/**
 * A report as it lies in a stored bundle, with the milliseconds from the bundle's time to its own. One of two fields,
 * as nearly all are, is a pair of their values: the names would take a tenth of the room.
 */
export type BundleEntry = readonly [id: string, afterMs: number, report: unknown, trace?: string];

/** A bundle as it is stored. */
export interface BundlePayload {
  /** What the times of its reports are counted from, in milliseconds since 1970; absent: from 1970 itself. */
  readonly from?: number;
  readonly reports: readonly BundleEntry[];
}

/** Writes a bundle as it is stored: each report takes a few bytes beside its own, in a backlog of millions. */
export function writeBundle(reports: readonly Bundled[]): BundlePayload {
  const from = reports[0]?.enqueuedAtMs ?? 0;
  return {
    from,
    reports: reports.map(({ id, enqueuedAtMs, report, trace }) => {
      const afterMs = enqueuedAtMs - from;
      const short = shortened(report);
      return trace === undefined ? [id, afterMs, short] : [id, afterMs, short, trace];
    }),
  };
}

function shortened(report: unknown): unknown {
  if (typeof report !== 'object' || report === null || Object.keys(report).length !== 2) return report;
  const { connector_sync_job_id: syncJobId, error } = report as Readonly<Record<string, unknown>>;
  return typeof syncJobId === 'string' && typeof error === 'string' ? [syncJobId, error] : report;
}

function inFull(report: unknown): unknown {
  if (!Array.isArray(report) || report.length !== 2) return report;
  const [connector_sync_job_id, error] = report as unknown[];
  return { connector_sync_job_id, error };
}

/** Becomes part of a key in Redis; the form is that of `reportJobId`. */
const REPORT_JOB_ID = /^r-[\w-]{24}$/;

/** The last moment that a Date can hold, in milliseconds since 1970. */
const LAST_MOMENT_MS = 8.64e15;

/**
 * Reads a stored bundle; undefined where it is none. Its reports are still to be parsed.
 *
 * @param id the bundle's own: where a report has the same, it could not become a job of its own, and this is no bundle
 */
export function readBundle(id: string, payload: unknown): readonly Bundled[] | undefined {
  if (typeof payload !== 'object' || payload === null || !('reports' in payload)) return undefined;
  const { reports } = payload;
  const from = 'from' in payload ? payload.from : 0;
  if (!isMoment(from) || !Array.isArray(reports) || reports.length === 0) return undefined;
  if (!reports.every((entry) => isEntry(entry, from)) || reports.some(([reportId]) => reportId === id))
    return undefined;
  return (reports as BundleEntry[]).map(([reportId, afterMs, report, trace]) => {
    const entry = { id: reportId, enqueuedAtMs: from + afterMs, report: inFull(report) };
    return trace === undefined ? entry : { ...entry, trace };
  });
}

function isEntry(entry: unknown, from: number): entry is BundleEntry {
  if (!Array.isArray(entry) || entry.length < 3) return false;
  const [id, afterMs, , trace] = entry as unknown[];
  if (typeof id !== 'string' || !REPORT_JOB_ID.test(id)) return false;
  if (trace !== undefined && typeof trace !== 'string') return false;
  return typeof afterMs === 'number' && isMoment(from + afterMs);
}

function isMoment(ms: unknown): ms is number {
  return Number.isSafeInteger(ms) && Math.abs(ms as number) <= LAST_MOMENT_MS;
}
