/**
 * A stream of reports, NDJSON of any length in bounded memory:
 *
 * 1. Lines are handed in as they arrive, a window of them at a time; the client is read no faster than the
 *    queue takes them.
 * 2. Results are given in the order of the lines, as soon as they are there, also while no line comes.
 * 3. What ends it early (the queue has gone, the backlog is full, the client falls silent) is its last result.
 */
import type { Readable } from 'node:stream';
import type { EnqueueResult } from '../pipeline/enqueue-reports.ts';
import type { InputLine } from '../pipeline/read-lines.ts';
import { readLines } from '../pipeline/read-lines.ts';
import { Problem } from './problem.ts';
import { problemOfError } from './problem-of-error.ts';

/** Lines that are handed in and not answered yet. */
const WINDOW_LINES = 1_000;
/** Results that are written out at once. */
const BATCH_LINES = 250;

/** What became of one line. */
export type LineResult = EnqueueResult & { readonly line: number };

/** Some results in their order, and, in the last one, what ended the stream early. */
export interface ResultBatch {
  readonly results: readonly LineResult[];
  readonly failure?: Problem;
}

export interface StreamLimits {
  readonly maxLineBytes: number;
  /** How long nothing may come, in milliseconds. */
  readonly silenceMs: number;
}

/**
 * Hands in each line and yields the results.
 *
 * @param accept hands in one line, the `index`th from 0; may wait for room
 * @param onFailure is told what ended the stream early, as it was thrown
 */
export async function* acceptLines(
  body: Readable,
  accept: (line: InputLine, index: number) => Promise<EnqueueResult>,
  limits: StreamLimits,
  onFailure: (error: unknown) => void,
): AsyncGenerator<ResultBatch, void, undefined> {
  const pending: { readonly line: number; readonly result: Promise<EnqueueResult> }[] = [];
  let isOver = false;
  let wake = Promise.withResolvers<void>();
  const ring = (): void => {
    wake.resolve();
    wake = Promise.withResolvers();
  };

  async function read(): Promise<void> {
    let index = 0;
    for await (const line of readLines(pieces(body, limits.silenceMs), limits.maxLineBytes)) {
      const result = accept(line, index++);
      // Its failure is met in its turn; until then it must not count as unhandled.
      result.catch(() => undefined);
      pending.push({ line: line.number, result });
      ring();
      while (pending.length >= WINDOW_LINES && !isOver) await wake.promise;
      if (isOver) return;
    }
  }
  const reading = read()
    .catch((error: unknown) => {
      const failed = Promise.reject(error);
      failed.catch(() => undefined);
      pending.push({ line: 0, result: failed });
    })
    .finally(() => {
      isOver = true;
      ring();
    });

  try {
    for (;;) {
      while (pending.length === 0 && !isOver) await wake.promise;
      if (pending.length === 0) return;
      const batch = await settle(pending.splice(0, BATCH_LINES), onFailure);
      ring();
      yield batch;
      if (batch.failure !== undefined) return;
    }
  } finally {
    isOver = true;
    ring();
    // The reader is not waited for: where the client is silent, it goes with the connection.
    void reading;
  }
}

async function settle(
  batch: readonly { readonly line: number; readonly result: Promise<EnqueueResult> }[],
  onFailure: (error: unknown) => void,
): Promise<ResultBatch> {
  const results: LineResult[] = [];
  for (const { line, result } of batch) {
    try {
      results.push({ line, ...(await result) });
    } catch (error) {
      onFailure(error);
      return { results, failure: problemOfError(error) };
    }
  }
  return { results };
}

/** The pieces of the body; a client that falls silent ends it. */
async function* pieces(body: Readable, silenceMs: number): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  for (;;) {
    const { promise: silent, reject } = Promise.withResolvers<never>();
    const silence = setTimeout(() => reject(new Problem('timeout')), silenceMs);
    const next = await Promise.race([iterator.next(), silent])
      .catch((error: unknown) => {
        throw describeBroken(error);
      })
      .finally(() => clearTimeout(silence));
    if (next.done === true) return;
    yield next.value;
  }
}

function describeBroken(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('Z_')
    ? new Problem('bad_request', { detail: 'The body is not packed as its Content-Encoding says.' })
    : error;
}
