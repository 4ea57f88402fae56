import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { openSlots, type Slots } from '../../src/pipeline/slots.ts';

async function taking<T>(slots: Slots, order: number, work: () => Promise<T>): Promise<T> {
  await slots.take(order);
  try {
    return await work();
  } finally {
    slots.giveBack();
  }
}

test('those that wait for a place are served in their order, however many there are', async () => {
  const slots = openSlots(3);
  const served: number[] = [];
  let underWay = 0;
  let most = 0;
  const works = Array.from({ length: 5_000 }, (_, n) =>
    taking(slots, 0, async () => {
      served.push(n);
      underWay += 1;
      most = Math.max(most, underWay);
      await turn();
      underWay -= 1;
    }),
  );
  await Promise.all(works);
  expect(served).toEqual(works.map((_, n) => n));
  expect(most).toBe(3);
});

test('what arrives together is sorted before any of it is served, also where there are places for all', async () => {
  for (const places of [1, 2, 10]) {
    const slots = openSlots(places);
    const served: number[] = [];
    const orders = [5, 3, 9, 1, 7, 3];
    await Promise.all(orders.map((order) => taking(slots, order, async () => served.push(order))));
    expect(served).toEqual([1, 3, 3, 5, 7, 9]);
  }
});

test('what has the same order is served first come, first served', async () => {
  const slots = openSlots(1);
  const served: string[] = [];
  await Promise.all(['a', 'b', 'c'].map((name) => taking(slots, 4, async () => served.push(name))));
  expect(served).toEqual(['a', 'b', 'c']);
});

test('what comes later and is earlier goes before those that wait, but takes no place from anybody', async () => {
  const slots = openSlots(1);
  const served: number[] = [];
  const first = Promise.withResolvers<void>();
  const all = [
    taking(slots, 2, async () => {
      served.push(2);
      await first.promise;
    }),
    taking(slots, 4, async () => served.push(4)),
  ];
  await turn();
  await turn();
  all.push(taking(slots, 1, async () => served.push(1)));
  await turn();
  expect(served).toEqual([2]);
  first.resolve();
  await Promise.all(all);
  expect(served).toEqual([2, 1, 4]);
});

test('more places serve those that wait at once, and fewer wait until enough are free', async () => {
  const slots = openSlots(1);
  let underWay = 0;
  const end = Promise.withResolvers<void>();
  const all = Array.from({ length: 6 }, (_, order) =>
    taking(slots, order, async () => {
      underWay += 1;
      await end.promise;
    }),
  );
  await turn();
  await turn();
  expect(underWay).toBe(1);
  slots.setLimit(4);
  await turn();
  expect(underWay).toBe(4);
  slots.setLimit(1);
  end.resolve();
  await Promise.all(all);
  expect(underWay).toBe(6);
});

test('what has been served takes no memory, though others always wait', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const slots = openSlots(1);
  const waiting = Array.from({ length: 10 }, () => taking(slots, 0, turn));
  async function serve(count: number): Promise<number> {
    for (let n = 0; n < count; n += 1) {
      waiting.push(taking(slots, 0, async () => undefined));
      await waiting.shift();
    }
    collectGarbage();
    return process.memoryUsage().heapUsed;
  }
  const before = await serve(10_000);
  const after = await serve(100_000);
  await Promise.all(waiting);
  expect(after - before).toBeLessThan(4_000_000);
});
