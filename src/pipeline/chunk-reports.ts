import { Buffer } from 'node:buffer';
import type { EnqueueLimits, EnqueueResult } from './enqueue-reports.ts';
import type { IdentifiedReport } from './ports.ts';

/** One item on its way to its result: settled before the queue is asked, or to be asked about. */
export type Pending = { readonly result: EnqueueResult } | { readonly ask: IdentifiedReport };

/** Items that go to the queue together, in their order. */
export type Chunk = readonly Pending[];

type ChunkLimits = Pick<EnqueueLimits, 'chunkReports' | 'chunkBytes' | 'lingerMs'>;

/** Gathers items into chunks: full ones, or what there is when the source has given nothing for a moment. */
export function chunksOf<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  prepare: (item: Item) => Pending,
  limits: ChunkLimits,
): AsyncGenerator<Chunk, void, undefined> {
  return Symbol.asyncIterator in items
    ? chunksOfStream(items, prepare, limits)
    : chunksOfList(items, prepare, limits);
}

/** Not by `for await`, which would wait for items that are promises, or only look like one. */
async function* chunksOfList<Item>(
  items: Iterable<Item>,
  prepare: (item: Item) => Pending,
  limits: ChunkLimits,
): AsyncGenerator<Chunk, void, undefined> {
  const gathering = new Gathering(limits);
  for (const item of items) {
    gathering.add(prepare(item));
    if (gathering.isFull) yield gathering.take();
  }
  if (!gathering.isEmpty) yield gathering.take();
}

const NOTHING_YET = Symbol('nothing yet');

async function* chunksOfStream<Item>(
  items: AsyncIterable<Item>,
  prepare: (item: Item) => Pending,
  limits: ChunkLimits,
): AsyncGenerator<Chunk, void, undefined> {
  const source = items[Symbol.asyncIterator]();
  const gathering = new Gathering(limits);
  let isOver = false;
  try {
    let upcoming = source.next();
    for (;;) {
      const next = gathering.isEmpty ? await upcoming : await Promise.race([upcoming, gathering.hasLingered]);
      if (next === NOTHING_YET) {
        yield gathering.take();
        continue;
      }
      if (next.done === true) {
        isOver = true;
        break;
      }
      gathering.add(prepare(next.value));
      upcoming = source.next();
      if (gathering.isFull) yield gathering.take();
    }
    if (!gathering.isEmpty) yield gathering.take();
  } catch (error) {
    isOver = true;
    // What the source gave before it failed is still handed in.
    if (!gathering.isEmpty) yield gathering.take();
    throw error;
  } finally {
    gathering.end();
    if (!isOver) await source.return?.();
  }
}

/** The chunk that is being filled. */
class Gathering {
  readonly #limits: ChunkLimits;
  #chunk: Pending[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Resolves when the first item of the chunk has waited long enough. */
  hasLingered: Promise<typeof NOTHING_YET> = new Promise(() => undefined);

  constructor(limits: ChunkLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#chunk.length === 0;
  }

  get isFull(): boolean {
    return this.#chunk.length >= this.#limits.chunkReports || this.#bytes >= this.#limits.chunkBytes;
  }

  add(pending: Pending): void {
    if (this.isEmpty) this.#startLingering();
    this.#chunk.push(pending);
    if ('ask' in pending) this.#bytes += Buffer.byteLength(pending.ask.report.error);
  }

  take(): Chunk {
    const chunk = this.#chunk;
    this.#chunk = [];
    this.#bytes = 0;
    this.end();
    return chunk;
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #startLingering(): void {
    this.hasLingered = new Promise((resolve) => {
      this.#timer = setTimeout(resolve, this.#limits.lingerMs, NOTHING_YET);
    });
  }
}
