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
  /** Ids remembered within one call, to tell a repeat although its first copy is already settled. */
  readonly rememberedIds: number;
}

export const ENQUEUE_LIMITS: EnqueueLimits = {
  chunkReports: 250,
  chunkBytes: 1_048_576,
  chunksInFlight: 4,
  rememberedIds: 200_000,
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
  limits: EnqueueLimits = ENQUEUE_LIMITS,
): AsyncGenerator<EnqueueResult, void, undefined> {
  const seen = new RecentIds(limits.rememberedIds);
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
  seen: RecentIds,
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

function prepare(parsed: ParsedReport, seen: RecentIds): Pending {
  if (parsed.kind === 'invalid') return { result: { status: 'invalid', problems: parsed.problems } };
  const id = reportJobId(parsed.report);
  if (!seen.add(id)) return { result: { status: 'duplicate', id } };
  return { ask: { id, report: parsed.report } };
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

/** The ids seen last, at most so many of them. */
class RecentIds {
  readonly #ids = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether the id is new. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > this.#most) {
      // A Set iterates in the order of insertion, so that its first is the oldest.
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return true;
  }
}
