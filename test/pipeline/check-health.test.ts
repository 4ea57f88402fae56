import { beforeEach, expect, test, vi } from 'vitest';
import { checkHealth } from '../../src/pipeline/check-health.ts';

/** Deadlines that pass when the test says so. */
let deadlines: { readonly ms: number; readonly controller: AbortController }[];

beforeEach(() => {
  deadlines = [];
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const controller = new AbortController();
    deadlines.push({ ms, controller });
    return controller.signal;
  });
});

const passDeadlines = (): void => {
  for (const { controller } of deadlines) controller.abort();
};

test('is ready where every check works, and where there is none', async () => {
  const works = { name: 'a', run: async () => undefined };
  expect(await checkHealth([works, { ...works, name: 'b' }])).toEqual({ ready: true, reasons: {} });
  expect(await checkHealth([])).toEqual({ ready: true, reasons: {} });
});

test('is not ready where one does not, with the reason of each', async () => {
  const health = await checkHealth([
    { name: 'says', run: async () => 'it is full' },
    { name: 'works', run: async () => undefined },
    { name: 'rejects', run: () => Promise.reject(new Error('refused')) },
    {
      name: 'throws',
      run: () => {
        throw 'a text';
      },
    },
  ]);
  expect(health).toEqual({
    ready: false,
    reasons: { says: 'it is full', rejects: 'refused', throws: 'a text' },
  });
});

test('runs all at once, and waits for none longer than two seconds', async () => {
  const signals: AbortSignal[] = [];
  const late = Promise.withResolvers<undefined>();
  const hang = (signal: AbortSignal): Promise<undefined> => {
    signals.push(signal);
    return late.promise;
  };
  const checking = checkHealth([
    { name: 'a', run: hang },
    { name: 'b', run: hang },
    { name: 'c', run: async () => undefined },
  ]);
  expect(deadlines.map(({ ms }) => ms)).toEqual([2_000, 2_000, 2_000]);
  expect(signals).toHaveLength(2);

  passDeadlines();
  expect(await checking).toEqual({
    ready: false,
    reasons: { a: 'no answer within 2000 ms', b: 'no answer within 2000 ms' },
  });
  expect(signals.every(({ aborted }) => aborted)).toBe(true);
  // A check that fails after all must not count as unhandled.
  late.reject(new Error('too late'));
});
