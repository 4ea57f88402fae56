import { Buffer } from 'node:buffer';
import type { ParsedReport, ReportProblem } from '../domain/error-report.ts';
import { reportJobId } from '../domain/job.ts';
import type { IdentifiedReport, JobQueue } from './ports.ts';

/** What became of one item that was handed in. */
export type EnqueueResult =
  /** Accepted: it will end applied or as a dead letter. */
  | { readonly status: 'queued'; readonly id: string }
  /** The same report is already on its way; nothing was added. */
  | { readonly status: 'duplicate'; readonly id: string }
  /** Not a report; nothing was added. */
  | { readonly status: 'invalid'; readonly problems: readonly ReportProblem[] };

/** Sizes of what is sent to the queue at once; see docs/configuration.md for what may be set. */
export interface EnqueueLimits {
  /** Reports in one transaction. */
  readonly chunkReports: number;
  /** Bytes of error texts in one transaction, so that Redis is never held up by one of them. */
  readonly chunkBytes: number;
  /** Transactions under way at once. */
  readonly chunksInFlight: number;
  /**
   * Reports remembered within one call, to tell repeats apart, and as many sync jobs, to keep the order of
   * their reports. The queue knows the repeats of those that were forgotten.
   */
  readonly rememberedReports: number;
}

export const ENQUEUE_LIMITS: EnqueueLimits = {
  chunkReports: 250,
  chunkBytes: 1_048_576,
  chunksInFlight: 4,
  rememberedReports: 200_000,
};

/**
 * Enqueues items of any number in their order, and yields a result for each, in the same order.
 *
 * Memory stays bounded: items are taken as results are. Enqueuing again what was enqueued before is
 * harmless, so that a call that failed half-way may simply be repeated.
 *
 * @throws {Error} what the queue throws; every result yielded before then stands
 */
export async function* enqueueReports<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  parse: (item: Item) => ParsedReport,
  queue: Pick<JobQueue, 'add'>,
  now: () => number,
  limits: EnqueueLimits = ENQUEUE_LIMITS,
): AsyncGenerator<EnqueueResult, void, undefined> {
  const seen = new RecentReports(limits.rememberedReports, now);
  const inFlight: Promise<readonly EnqueueResult[]>[] = [];
  for await (const chunk of chunksOf(items, parse, seen, limits)) {
    const sent = send(chunk, queue);
    // Its failure is met where it is awaited, in order; until then it must not count as unhandled.
    sent.catch(() => undefined);
    inFlight.push(sent);
    if (inFlight.length >= limits.chunksInFlight) yield* (await inFlight.shift()) ?? [];
  }
  for (const sent of inFlight) yield* await sent;
}

/** One item on its way to its result: settled before the queue is asked, or to be asked about. */
type Pending = { readonly result: EnqueueResult } | { readonly ask: IdentifiedReport };

async function* chunksOf<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  parse: (item: Item) => ParsedReport,
  seen: RecentReports,
  limits: EnqueueLimits,
): AsyncGenerator<readonly Pending[], void, undefined> {
  let chunk: Pending[] = [];
  let bytes = 0;
  for await (const item of items) {
    const pending = prepare(parse(item), seen);
    chunk.push(pending);
    if ('ask' in pending) bytes += Buffer.byteLength(pending.ask.report.error);
    if (chunk.length >= limits.chunkReports || bytes >= limits.chunkBytes) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
  }
  if (chunk.length > 0) yield chunk;
}

function prepare(parsed: ParsedReport, seen: RecentReports): Pending {
  if (parsed.kind === 'invalid') return { result: { status: 'invalid', problems: parsed.problems } };
  const { report } = parsed;
  const id = reportJobId(report);
  const enqueuedAtMs = seen.note(report.connector_sync_job_id, id);
  return enqueuedAtMs === undefined
    ? { result: { status: 'duplicate', id } }
    : { ask: { id, report, enqueuedAtMs } };
}

async function send(
  chunk: readonly Pending[],
  queue: Pick<JobQueue, 'add'>,
): Promise<readonly EnqueueResult[]> {
  const asked = chunk.flatMap((pending) => ('ask' in pending ? [pending.ask] : []));
  const answers = asked.length === 0 ? [] : await queue.add(asked);
  let next = 0;
  return chunk.map((pending) => {
    if ('result' in pending) return pending.result;
    const status = answers[next++];
    if (status === undefined)
      throw new Error(`the queue gave ${answers.length} answers for ${asked.length} reports`);
    return { status, id: pending.ask.id };
  });
}

/** The reports that a call had last, and the sync jobs that it named last. */
class RecentReports {
  readonly #ids = new Set<string>();
  readonly #lastAtMs = new Map<string, number>();
  readonly #most: number;
  readonly #now: () => number;

  constructor(most: number, now: () => number) {
    this.#most = most;
    this.#now = now;
  }

  /**
   * The time a report is accepted at, or undefined where the call has had it before. Reports for one sync
   * job get different times, so that workers can tell which came first.
   */
  note(syncJobId: string, id: string): number | undefined {
    if (this.#ids.has(id)) return undefined;
    this.#ids.add(id);
    const lastAtMs = this.#lastAtMs.get(syncJobId);
    const acceptedAtMs = lastAtMs === undefined ? this.#now() : Math.max(this.#now(), lastAtMs + 1);
    // Put in anew, so that it counts among the latest.
    this.#lastAtMs.delete(syncJobId);
    this.#lastAtMs.set(syncJobId, acceptedAtMs);
    forgetOldest(this.#ids, this.#most);
    forgetOldest(this.#lastAtMs, this.#most);
    return acceptedAtMs;
  }
}

/** Sets and Maps iterate in the order of insertion, so that the first key is the oldest. */
function forgetOldest(known: Set<string> | Map<string, unknown>, most: number): void {
  if (known.size <= most) return;
  const oldest = known.keys().next();
  if (oldest.done !== true) known.delete(oldest.value);
}
