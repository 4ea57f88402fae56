import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { openSlots } from '../../src/pipeline/slots.ts';

test('those that wait for a place are served in their order, however many there are', async () => {
  const slots = openSlots(3);
  const served: number[] = [];
  let underWay = 0;
  let most = 0;
  const works = Array.from({ length: 5_000 }, (_, n) =>
    slots.taking(async () => {
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

test('what has been served takes no memory, though others always wait', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const slots = openSlots(1);
  const waiting = Array.from({ length: 10 }, () => slots.taking(turn));
  async function serve(count: number): Promise<number> {
    for (let n = 0; n < count; n += 1) {
      waiting.push(slots.taking(async () => undefined));
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
