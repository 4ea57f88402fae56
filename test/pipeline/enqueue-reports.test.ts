import { setImmediate as afterIo } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ErrorReport, errorReportParser } from '../../src/domain/error-report.ts';
import {
  ENQUEUE_LIMITS,
  type EnqueueLimits,
  type EnqueueResult,
  enqueueReports,
} from '../../src/pipeline/enqueue-reports.ts';
import type { IdentifiedReport } from '../../src/pipeline/ports.ts';

const parse = errorReportParser({ maxErrorBytes: 1_048_576 });

const report = (id: string, error = 'TimeoutError'): ErrorReport => ({ connector_sync_job_id: id, error });

const many = (count: number, error?: string): readonly ErrorReport[] =>
  Array.from({ length: count }, (_, n) => report(`job-${n}`, error));

/** A queue whose calls end when the test says so, or at once. */
function scriptedQueue(
  script: { readonly holds?: boolean; readonly fails?: (call: number) => boolean } = {},
) {
  const known = new Set<string>();
  const asked: (readonly IdentifiedReport[])[] = [];
  const held: (() => void)[] = [];
  let underWay = 0;
  const most = { underWay: 0 };
  return {
    asked,
    most,
    /** Lets the call that has waited longest end. */
    release: () => held.shift()?.(),
    heldCalls: () => held.length,
    async add(reports: readonly IdentifiedReport[]) {
      const call = asked.push(reports);
      underWay += 1;
      most.underWay = Math.max(most.underWay, underWay);
      if (script.holds === true) await new Promise<void>((resolve) => held.push(resolve));
      else await afterIo();
      underWay -= 1;
      if (script.fails?.(call) === true) throw new Error(`call ${call} failed`);
      return reports.map(({ id }) => {
        const status = known.has(id) ? ('duplicate' as const) : ('queued' as const);
        known.add(id);
        return status;
      });
    },
  };
}

interface Options {
  readonly limits?: Partial<EnqueueLimits>;
  readonly now?: () => number;
}

function enqueue(
  items: Iterable<unknown> | AsyncIterable<unknown>,
  queue: Pick<ReturnType<typeof scriptedQueue>, 'add'>,
  { limits, now = () => 1_000 }: Options = {},
): AsyncGenerator<EnqueueResult, void, undefined> {
  return enqueueReports(items, parse, queue, now, { ...ENQUEUE_LIMITS, ...limits });
}

/** What was yielded, and what ended it. */
async function drain(
  results: AsyncIterable<EnqueueResult>,
): Promise<{ readonly yielded: readonly EnqueueResult[]; readonly error?: unknown }> {
  const yielded: EnqueueResult[] = [];
  try {
    for await (const result of results) yielded.push(result);
    return { yielded };
  } catch (error) {
    return { yielded, error };
  }
}

const statuses = (results: readonly EnqueueResult[]): readonly string[] =>
  results.map(({ status }) => status);

test('there is a result for each item, in their order, also where later calls answer first', async () => {
  const items = Array.from({ length: 60 }, (_, n) => (n % 7 === 3 ? { error: n } : report(`job-${n % 25}`)));
  const answers: (() => void)[] = [];
  const queue = scriptedQueue();
  const add: typeof queue.add = async (reports) => {
    const answer = await queue.add(reports);
    await new Promise<void>((resolve) => answers.push(resolve));
    return answer;
  };
  const draining = drain(enqueue(items, { add }, { limits: { chunkReports: 5, chunksInFlight: 3 } }));
  let isOver = false;
  void draining.then(() => {
    isOver = true;
  });
  while (!isOver) {
    answers.pop()?.();
    await afterIo();
  }

  const seen = new Set<string>();
  const expected = items.map((item) => {
    if (!('connector_sync_job_id' in item)) return 'invalid';
    const status = seen.has(item.connector_sync_job_id) ? 'duplicate' : 'queued';
    seen.add(item.connector_sync_job_id);
    return status;
  });
  expect(new Set(expected).size).toBe(3);
  expect(statuses((await draining).yielded)).toEqual(expected);
});

test('the same report twice in one call is a duplicate, and the queue is asked once', async () => {
  const queue = scriptedQueue();
  const { yielded } = await drain(enqueue([report('a'), report('a'), report('b'), report('a')], queue));

  expect(statuses(yielded)).toEqual(['queued', 'duplicate', 'queued', 'duplicate']);
  expect(queue.asked.flat()).toHaveLength(2);
  expect(yielded[1]).toEqual({ status: 'duplicate', id: queue.asked[0]?.[0]?.id });
});

test('what is no report is told with its problems, and nothing is asked of the queue for it', async () => {
  const queue = scriptedQueue();
  const { yielded } = await drain(enqueue([null, 42, {}], queue));

  expect(statuses(yielded)).toEqual(['invalid', 'invalid', 'invalid']);
  expect(yielded.every((result) => result.status === 'invalid' && result.problems.length > 0)).toBe(true);
  expect(queue.asked).toEqual([]);
});

describe('what is sent at once', () => {
  test('is at most so many reports', async () => {
    const queue = scriptedQueue();
    await drain(enqueue(many(23), queue, { limits: { chunkReports: 10 } }));
    expect(queue.asked.map(({ length }) => length)).toEqual([10, 10, 3]);
  });

  test('is no more once so many bytes are reached, counted in UTF-8', async () => {
    const queue = scriptedQueue();
    await drain(enqueue(many(7, 'ü'.repeat(50)), queue, { limits: { chunkBytes: 300 } }));
    expect(queue.asked.map(({ length }) => length)).toEqual([3, 3, 1]);
  });

  test('counts its bytes anew each time', async () => {
    const queue = scriptedQueue();
    const items = [report('a', 'x'.repeat(300)), ...many(2, 'x'.repeat(140))];
    await drain(enqueue(items, queue, { limits: { chunkBytes: 300 } }));
    expect(queue.asked.map(({ length }) => length)).toEqual([1, 2]);
  });
});

describe('calls under way', () => {
  test('are at most so many, and items are taken no further ahead than that', async () => {
    const queue = scriptedQueue({ holds: true });
    let taken = 0;
    function* items(): Generator<ErrorReport> {
      for (const item of many(100)) {
        taken += 1;
        yield item;
      }
    }
    const draining = drain(enqueue(items(), queue, { limits: { chunkReports: 5, chunksInFlight: 3 } }));
    for (let n = 0; n < 50; n += 1) await afterIo();
    expect(queue.heldCalls()).toBe(3);
    expect(taken).toBe(15);

    for (let n = 0; n < 500 && queue.asked.length < 20; n += 1) {
      queue.release();
      await afterIo();
    }
    while (queue.heldCalls() > 0) queue.release();
    expect((await draining).yielded).toHaveLength(100);
    expect(queue.most.underWay).toBe(3);
  });

  test('are not made before the results are asked for', async () => {
    const queue = scriptedQueue();
    enqueue(many(10), queue);
    await afterIo();
    expect(queue.asked).toEqual([]);
  });
});

describe('where the queue fails in the middle', () => {
  const limits = { chunkReports: 2, chunksInFlight: 4 };

  test('every result before stands, and the failure is thrown in its place', async () => {
    const queue = scriptedQueue({ fails: (call) => call === 3 });
    const { yielded, error } = await drain(enqueue(many(20), queue, { limits }));

    expect(statuses(yielded)).toEqual(['queued', 'queued', 'queued', 'queued']);
    expect(error).toEqual(new Error('call 3 failed'));
  });

  test('no other failure is left unhandled', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => {
      unhandled.push(reason);
    };
    process.on('unhandledRejection', note);
    const queue = scriptedQueue({ fails: (call) => call >= 2 });
    const { yielded, error } = await drain(enqueue(many(20), queue, { limits }));
    for (let n = 0; n < 10; n += 1) await afterIo();
    process.off('unhandledRejection', note);

    expect(yielded).toHaveLength(2);
    expect(error).toEqual(new Error('call 2 failed'));
    expect(queue.asked.length).toBeGreaterThan(3);
    expect(unhandled).toEqual([]);
  });

  test('repeating the call finishes it', async () => {
    const queue = scriptedQueue({ fails: (call) => call === 3 });
    await drain(enqueue(many(20), queue, { limits }));
    const { yielded, error } = await drain(enqueue(many(20), queue, { limits }));

    expect(error).toBeUndefined();
    expect(yielded).toHaveLength(20);
    expect(new Set(queue.asked.flat().map(({ id }) => id)).size).toBe(20);
  });

  test('an answer that is too short is a failure', async () => {
    const add = async (): Promise<readonly 'queued'[]> => ['queued'];
    const { error } = await drain(enqueueReports(many(2), parse, { add }, () => 0));
    expect(error).toEqual(new Error('the queue gave 1 answers for 2 reports'));
  });
});

describe('the time of acceptance', () => {
  const timesOf = (queue: ReturnType<typeof scriptedQueue>): readonly number[] =>
    queue.asked.flat().map(({ enqueuedAtMs }) => enqueuedAtMs);

  test('differs for the reports of one sync job, in their order, and is the clock for all others', async () => {
    const queue = scriptedQueue();
    const items = [report('a', '1'), report('b', '1'), report('a', '2'), report('b', '2'), report('a', '3')];
    await drain(enqueue(items, queue));
    expect(timesOf(queue)).toEqual([1_000, 1_000, 1_001, 1_001, 1_002]);
  });

  test('never goes back for one sync job, whatever the clock does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ nowMs: fc.nat(50), id: fc.constantFrom('a', 'b') }), { maxLength: 50 }),
        async (steps) => {
          const queue = scriptedQueue();
          const clock = steps.map(({ nowMs }) => nowMs);
          const items = steps.map(({ id }, n) => report(id, String(n)));
          await drain(enqueue(items, queue, { now: () => clock.shift() ?? 0 }));
          for (const id of ['a', 'b']) {
            const times = queue.asked
              .flat()
              .filter((asked) => asked.report.connector_sync_job_id === id)
              .map(({ enqueuedAtMs }) => enqueuedAtMs);
            expect(times.every((time, n) => n === 0 || time > (times[n - 1] ?? 0))).toBe(true);
          }
        },
      ),
    );
  });

  test('is still told apart for a sync job that is named again and again, however many others come', async () => {
    const queue = scriptedQueue();
    const items = many(40).flatMap((other, n) => [report('a', String(n)), other]);
    await drain(enqueue(items, queue, { limits: { rememberedReports: 3 } }));
    const times = queue.asked.flat().filter(({ report: of }) => of.connector_sync_job_id === 'a');
    expect(times.map(({ enqueuedAtMs }) => enqueuedAtMs)).toEqual(times.map((_, n) => 1_000 + n));
  });
});

describe('memory is bounded', () => {
  test('by forgetting the sync jobs that were not named for longest', async () => {
    const queue = scriptedQueue();
    const items = [report('a', '1'), ...many(3), report('a', '2')];
    await drain(enqueue(items, queue, { limits: { rememberedReports: 3 } }));
    expect(queue.asked.flat().at(-1)).toMatchObject({ report: { error: '2' }, enqueuedAtMs: 1_000 });
  });

  test.each([
    ['of many sync jobs', ['1', '2', '3', '4'].map((id) => report(id))],
    ['of many reports for one sync job', ['1', '2', '3', '4'].map((error) => report('a', error))],
  ])('by forgetting the oldest %s, whose repeats the queue still knows', async (_, reports) => {
    const queue = scriptedQueue();
    const items = [...reports, ...reports.slice(3), ...reports.slice(0, 1)];
    const { yielded } = await drain(
      enqueue(items, queue, { limits: { rememberedReports: 3, chunkReports: 1, chunksInFlight: 1 } }),
    );

    expect(statuses(yielded)).toEqual(['queued', 'queued', 'queued', 'queued', 'duplicate', 'duplicate']);
    // The latest is known; the first was forgotten, and is asked for again.
    expect(queue.asked.flat().map(({ report: asked }) => asked)).toEqual([...reports, reports[0]]);
  });
});

describe('a source that takes its time', () => {
  test('has what it gave sent and told, without waiting for more', async () => {
    const queue = scriptedQueue();
    const more = Promise.withResolvers<void>();
    async function* slowly(): AsyncGenerator<ErrorReport> {
      yield report('first');
      await more.promise;
      yield report('second');
    }
    const results = enqueue(slowly(), queue);

    expect((await results.next()).value).toMatchObject({ status: 'queued' });
    expect(queue.asked.map((reports) => reports.length)).toEqual([1]);

    more.resolve();
    expect((await results.next()).value).toMatchObject({ status: 'queued' });
    expect((await results.next()).done).toBe(true);
  });

  test('may wait for the result of an item before it gives the next', async () => {
    const queue = scriptedQueue();
    let told = Promise.withResolvers<void>();
    async function* inStep(): AsyncGenerator<ErrorReport> {
      for (const item of many(5)) {
        yield item;
        await told.promise;
        told = Promise.withResolvers();
      }
    }
    let count = 0;
    for await (const { status } of enqueue(inStep(), queue)) {
      expect(status).toBe('queued');
      count += 1;
      told.resolve();
    }
    expect(count).toBe(5);
  });

  test('is left at once, although it never gives anything more', async () => {
    async function* endless(): AsyncGenerator<ErrorReport> {
      yield report('a');
      await new Promise(() => undefined);
    }
    const statuses: string[] = [];
    for await (const { status } of enqueue(endless(), scriptedQueue())) {
      statuses.push(status);
      break;
    }
    expect(statuses).toEqual(['queued']);
  });

  test('has what it gave before it failed sent and told', async () => {
    const queue = scriptedQueue();
    async function* failing(): AsyncGenerator<ErrorReport> {
      yield* many(3);
      throw new Error('the source failed');
    }
    const { yielded, error } = await drain(enqueue(failing(), queue));
    expect(yielded.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued']);
    expect(error).toMatchObject({ message: 'the source failed' });
  });
});

test('a repeat within a minute is the same report, and later it has happened again', async () => {
  const settledAtOnce = {
    add: async (reports: readonly IdentifiedReport[]) => reports.map(() => 'queued' as const),
  };
  let nowMs = 0;
  function* items(): Generator<ErrorReport> {
    yield report('a');
    nowMs += 59_000;
    yield report('a');
    nowMs += 2_000;
    yield report('a');
  }
  const { yielded } = await drain(enqueue(items(), settledAtOnce, { now: () => nowMs }));
  expect(yielded.map(({ status }) => status)).toEqual(['queued', 'duplicate', 'queued']);
});

test('an item that looks like a promise is read like any other', async () => {
  const pretender = Object.defineProperty({ ...report('a') }, 'then', {
    get: () => {
      throw new Error('not a promise');
    },
  });
  const { yielded } = await drain(enqueue([pretender, report('b')], scriptedQueue()));
  expect(yielded.map(({ status }) => status)).toEqual(['queued', 'queued']);
});
