import { expect, test } from 'vitest';
import { repeat } from '../../src/pipeline/repeat.ts';
import { fakeClock } from '../support/fake-clock.ts';

test('the work is done at once, and again an interval after it has ended', async () => {
  const clock = fakeClock();
  const startedMs = clock.now();
  const began: number[] = [];
  const end = repeat(
    async () => {
      began.push(clock.now() - startedMs);
      await clock.pause(30, new AbortController().signal);
    },
    { intervalMs: 100, pause: clock.pause, onError: () => undefined },
  );
  await clock.advance(500);
  expect(began).toEqual([0, 130, 260, 390]);
  const ended = end();
  await clock.advance(30);
  await ended;
});

test('work that takes longer than the interval is never done twice at once', async () => {
  const clock = fakeClock();
  const running = { now: 0, most: 0, runs: 0 };
  const end = repeat(
    async () => {
      running.now += 1;
      running.runs += 1;
      running.most = Math.max(running.most, running.now);
      await clock.pause(1_000, new AbortController().signal);
      running.now -= 1;
    },
    { intervalMs: 10, pause: clock.pause, onError: () => undefined },
  );
  await clock.advance(5_000);
  expect(running).toMatchObject({ most: 1, runs: 5 });
  const ended = end();
  await clock.advance(1_000);
  await ended;
});

test('work that fails is told of and repeated all the same', async () => {
  const clock = fakeClock();
  const errors: unknown[] = [];
  let runs = 0;
  const end = repeat(
    async () => {
      runs += 1;
      if (runs < 3) throw new Error(`run ${runs}`);
    },
    { intervalMs: 100, pause: clock.pause, onError: (error) => errors.push(error) },
  );
  await clock.advance(350);
  expect(runs).toBe(4);
  expect(errors).toEqual([new Error('run 1'), new Error('run 2')]);
  await end();
});

test('it ends without waiting for the interval, and is silent about what failed because of that', async () => {
  const clock = fakeClock();
  const errors: unknown[] = [];
  let runs = 0;
  const blocked = Promise.withResolvers<void>();
  const end = repeat(
    () => {
      runs += 1;
      return runs < 2 ? Promise.resolve() : blocked.promise;
    },
    { intervalMs: 100, pause: clock.pause, onError: (error) => errors.push(error) },
  );
  await clock.advance(100);
  expect(runs).toBe(2);

  let isOver = false;
  const ended = end().then(() => {
    isOver = true;
  });
  await clock.settle();
  expect(isOver).toBe(false);
  blocked.reject(new Error('closed'));
  await ended;
  await clock.advance(1_000);
  expect(runs).toBe(2);
  expect(errors).toEqual([]);
  await end();
});
