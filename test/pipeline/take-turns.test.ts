import { setImmediate as afterIo } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { turns } from '../../src/pipeline/take-turns.ts';

function setup() {
  const { take, giveBack } = turns();
  return async <T>(key: string, order: number, work: () => Promise<T>): Promise<T> => {
    await take(key, order);
    try {
      return await work();
    } finally {
      giveBack(key);
    }
  };
}

test('those that wait take their turns by their order, whatever order they came in', async () => {
  const takeTurns = setup();
  const began: number[] = [];
  await Promise.all([5, 3, 9, 1, 7].map((order) => takeTurns('a', order, async () => began.push(order))));
  expect(began).toEqual([5, 1, 3, 7, 9]);
});

test('what has the same order goes first come, first served', async () => {
  const takeTurns = setup();
  const began: string[] = [];
  await Promise.all(['x', 'y', 'z'].map((name) => takeTurns('a', 1, async () => began.push(name))));
  expect(began).toEqual(['x', 'y', 'z']);
});

test('what comes later goes before those that wait and are later still, but interrupts nobody', async () => {
  const takeTurns = setup();
  const began: number[] = [];
  const first = Promise.withResolvers<void>();
  const all = [
    takeTurns('a', 2, async () => {
      began.push(2);
      await first.promise;
    }),
    takeTurns('a', 4, async () => began.push(4)),
  ];
  await afterIo();
  await afterIo();
  all.push(takeTurns('a', 1, async () => began.push(1)));
  await afterIo();
  await afterIo();
  expect(began).toEqual([2]);

  first.resolve();
  await Promise.all(all);
  expect(began).toEqual([2, 1, 4]);
});

test('different keys do not wait for each other', async () => {
  const takeTurns = setup();
  const blocked = Promise.withResolvers<void>();
  const held = takeTurns('a', 1, () => blocked.promise);

  expect(await takeTurns('b', 2, async () => 'b ran')).toBe('b ran');
  blocked.resolve();
  await held;
});

test('work that fails keeps nobody from their turn, and its failure is told', async () => {
  const takeTurns = setup();
  const outcomes = await Promise.allSettled([
    takeTurns('a', 1, () => Promise.reject(new Error('failed'))),
    takeTurns('a', 2, () => {
      throw new Error('at once');
    }),
    takeTurns('a', 3, async () => 'ran'),
  ]);
  expect(outcomes).toMatchObject([
    { reason: { message: 'failed' } },
    { reason: { message: 'at once' } },
    { value: 'ran' },
  ]);
  expect(await takeTurns('a', 0, async () => 'ran as well')).toBe('ran as well');
});

test('whatever comes when, everything runs once and never two at a time for one key', async () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', '__proto__'),
    order: fc.nat(5),
    ticksBefore: fc.nat(2),
    turnsWithin: fc.nat(3),
    fails: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const takeTurns = setup();
      const running = new Set<string>();
      const seen = { ran: 0, overlaps: 0 };
      const started: Promise<void>[] = [];
      for (const { key, order, ticksBefore, turnsWithin, fails } of steps) {
        for (let n = 0; n < ticksBefore; n += 1) await afterIo();
        const ended = takeTurns(key, order, async () => {
          seen.ran += 1;
          if (running.has(key)) seen.overlaps += 1;
          running.add(key);
          for (let n = 0; n < turnsWithin; n += 1) await Promise.resolve();
          running.delete(key);
          if (fails) throw new Error('failed');
        });
        ended.catch(() => undefined);
        started.push(ended);
      }
      const outcomes = await Promise.allSettled(started);
      expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(steps.map(({ fails }) => fails));
      expect(seen).toEqual({ ran: steps.length, overlaps: 0 });
    }),
    { numRuns: 50 },
  );
});
