import type { ParsedReport, ReportProblem } from '../domain/error-report.ts';
import { type Chunk, chunksOf } from './chunk-reports.ts';
import type { JobQueue } from './ports.ts';
import { RecentReports } from './recent-reports.ts';

/** What became of one item that was handed in. */
export type EnqueueResult =
  /** Accepted: it will end applied or as a dead letter. */
  | { readonly status: 'queued'; readonly id: string }
  /** The same report is already on its way; nothing was added. */
  | { readonly status: 'duplicate'; readonly id: string }
  /** Not a report; nothing was added. */
  | { readonly status: 'invalid'; readonly problems: readonly ReportProblem[] };

/** Sizes of what is sent to the queue at once. */
export interface EnqueueLimits {
  /** Reports in one transaction. */
  readonly chunkReports: number;
  /** Bytes of error texts in one transaction, so that Redis is never held up by one of them. */
  readonly chunkBytes: number;
  /** How long a transaction that is not full waits for more, in milliseconds. */
  readonly lingerMs: number;
  /** Transactions under way at once. */
  readonly chunksInFlight: number;
  /**
   * Reports remembered within one call, to tell repeats apart, and as many sync jobs, to keep the order of
   * their reports. The queue knows the repeats of those that were forgotten, as long as they are on their way.
   */
  readonly rememberedReports: number;
  /** How long they are remembered, in milliseconds: a sync job that fails again later has failed again. */
  readonly rememberedMs: number;
}

export const ENQUEUE_LIMITS: EnqueueLimits = {
  chunkReports: 250,
  chunkBytes: 1_048_576,
  lingerMs: 10,
  chunksInFlight: 4,
  rememberedReports: 100_000,
  rememberedMs: 60_000,
};

/**
 * Enqueues items of any number in their order, and yields a result for each, in the same order.
 *
 * Memory stays bounded: items are taken as results are. A source that takes its time holds nothing up: what
 * it has given is sent, and told, without waiting for more. Enqueuing again what was enqueued before is
 * harmless, so that a call that failed half-way may simply be repeated.
 *
 * @throws {Error} what the queue or the source throws; every result yielded before then stands
 */
export async function* enqueueReports<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  parse: (item: Item) => ParsedReport,
  queue: Pick<JobQueue, 'add'>,
  now: () => number,
  limits: EnqueueLimits = ENQUEUE_LIMITS,
): AsyncGenerator<EnqueueResult, void, undefined> {
  const seen = new RecentReports(limits.rememberedReports, limits.rememberedMs, now);
  const chunks = chunksOf(items, (item) => seen.prepare(parse(item)), limits);
  const inFlight: Promise<readonly EnqueueResult[]>[] = [];
  let upcoming: Promise<IteratorResult<Chunk, void>> | undefined;
  let isOver = false;
  let failure: { readonly error: unknown } | undefined;
  try {
    while (!isOver || inFlight.length > 0) {
      // No item is taken further ahead than it can be sent.
      if (!isOver && inFlight.length < limits.chunksInFlight) upcoming ??= handled(chunks.next());
      if (upcoming === undefined || (await isResultReady(inFlight, upcoming))) {
        yield* (await inFlight.shift()) ?? [];
        continue;
      }
      const next = await upcoming.catch((error: unknown) => {
        failure = { error };
        return OVER;
      });
      upcoming = undefined;
      isOver = next.done === true;
      if (next.done !== true) inFlight.push(handled(send(next.value, queue)));
    }
    // What the source gave before it failed was handed in, and told.
    if (failure !== undefined) throw failure.error;
  } finally {
    // Not waited for: a source that gives nothing more could not be left otherwise.
    if (!isOver) void handled(chunks.return());
  }
}

const OVER: IteratorResult<Chunk, void> = { done: true, value: undefined };

/** Its failure is met where it is awaited, in order; until then it must not count as unhandled. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Whether the oldest results are there, and no further chunk is: chunks come first, to keep the connection busy. */
async function isResultReady(
  inFlight: readonly Promise<unknown>[],
  upcoming: Promise<unknown>,
): Promise<boolean> {
  const [oldest] = inFlight;
  if (oldest === undefined) return false;
  const answers = (promise: Promise<unknown>, answer: boolean): Promise<boolean> =>
    promise.then(
      () => answer,
      () => answer,
    );
  return Promise.race([answers(upcoming, false), answers(oldest, true)]);
}

async function send(chunk: Chunk, queue: Pick<JobQueue, 'add'>): Promise<readonly EnqueueResult[]> {
  const asked = chunk.flatMap((pending) => ('ask' in pending ? [pending.ask] : []));
  const answers = asked.length === 0 ? [] : await queue.add(asked);
  let next = 0;
  return chunk.map((pending) => {
    if ('result' in pending) return pending.result;
    const status = answers[next++];
    if (status === undefined) {
      throw new Error(`the queue gave ${answers.length} answers for ${asked.length} reports`);
    }
    return { status, id: pending.ask.id };
  });
}
