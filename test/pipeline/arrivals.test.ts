import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openArrivals } from '../../src/pipeline/arrivals.ts';
import { until } from '../support/wait.ts';

/** Notes in which order what has arrived begins. */
function setup(mostWaitMs?: number) {
  const arrive = openArrivals(mostWaitMs);
  const begun: string[] = [];
  return {
    begun,
    arrive(name: string) {
      const arrival = arrive();
      void arrival.begin().then(() => begun.push(name));
      return arrival;
    },
  };
}

const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await turn();
};

test('what arrives in one turn begins together, once the slowest of it is open', async () => {
  const { arrive, begun } = setup();
  arrive('single').opened();
  const bundle = arrive('bundle');
  await turns(5);
  expect(begun).toEqual([]);

  bundle.opened();
  await turns(1);
  expect(begun).toEqual(['single', 'bundle']);
});

test('what arrives later begins later, though it is open sooner', async () => {
  const { arrive, begun } = setup();
  const first = arrive('first');
  await turns(2);
  arrive('second').opened();
  await turns(2);
  expect(begun).toEqual([]);

  first.opened();
  first.opened();
  await turns(1);
  expect(begun).toEqual(['first', 'second']);
});

test('what arrives alone begins with the next turn', async () => {
  const { arrive, begun } = setup();
  arrive('alone').opened();
  expect(begun).toEqual([]);
  await turns(2);
  expect(begun).toEqual(['alone']);
});

test('what never opens holds nothing up for long', async () => {
  const { arrive, begun } = setup(50);
  arrive('lost');
  await turns(2);
  arrive('later').opened();
  await until('it begins', () => begun.includes('later'));
  expect(begun).toEqual(['lost', 'later']);
});
