import { describe, expect, test } from 'vitest';
import { progressWatch } from '../../src/pipeline/watch-progress.ts';

const POLICY = { stuckAfterMs: 45_000 };

interface Scene {
  takeable: number;
  lastSignOfLifeMs: number;
  underWay: number;
  nowMs: number;
}

/** A worker that last did something long ago, while reports wait. */
function setup(scene: Partial<Scene> = {}): Scene & { readonly look: () => Promise<string | undefined> } {
  const worker: Scene = { takeable: 7, lastSignOfLifeMs: 0, underWay: 0, nowMs: 1_000_000, ...scene };
  const look = progressWatch(
    {
      takeable: async () => worker.takeable,
      lastSignOfLifeMs: () => worker.lastSignOfLifeMs,
      underWay: () => worker.underWay,
      now: () => worker.nowMs,
    },
    POLICY,
  );
  return Object.assign(worker, { look });
}

test('a worker that takes nothing while reports wait is stuck after the time for it, with the reason', async () => {
  const worker = setup();
  expect(await worker.look()).toBeUndefined();
  worker.nowMs += 44_999;
  expect(await worker.look()).toBeUndefined();
  worker.nowMs += 1;
  expect(await worker.look()).toBe('reports wait, and this worker has taken none for 45 s');
});

test('a worker is not stuck for the time that Redis did not answer', async () => {
  let nowMs = 1_000_000;
  let answerTakesMs = 0;
  const look = progressWatch(
    {
      takeable: async () => {
        nowMs += answerTakesMs;
        return 7;
      },
      lastSignOfLifeMs: () => 0,
      underWay: () => 0,
      now: () => nowMs,
    },
    POLICY,
  );
  expect(await look()).toBeUndefined();
  answerTakesMs = 60_000;
  expect(await look()).toBeUndefined();
  answerTakesMs = 0;
  nowMs += 5_000;
  expect(await look()).toBeUndefined();
  nowMs += 45_000;
  expect(await look()).toContain('45 s');
});

describe('a worker is not stuck', () => {
  test('where nothing waits, however long it has done nothing', async () => {
    const worker = setup({ takeable: 0 });
    await worker.look();
    worker.nowMs += 10_000_000;
    expect(await worker.look()).toBeUndefined();
  });

  test('where reports came only just now, after a long silence', async () => {
    const worker = setup({ takeable: 0 });
    await worker.look();
    worker.nowMs += 10_000_000;
    worker.takeable = 1;
    expect(await worker.look()).toBeUndefined();
    worker.nowMs += 44_999;
    expect(await worker.look()).toBeUndefined();
  });

  test('where the queue was empty in between', async () => {
    const worker = setup();
    await worker.look();
    worker.nowMs += 40_000;
    worker.takeable = 0;
    await worker.look();
    worker.takeable = 7;
    worker.nowMs += 10_000;
    expect(await worker.look()).toBeUndefined();
  });

  test('where attempts are under way, waiting at the gate for instance', async () => {
    const worker = setup({ underWay: 3 });
    await worker.look();
    worker.nowMs += 10_000_000;
    expect(await worker.look()).toBeUndefined();
  });

  test('where attempts come and go between two looks', async () => {
    const worker = setup();
    for (let n = 0; n < 20; n += 1) {
      worker.nowMs += 30_000;
      worker.lastSignOfLifeMs = worker.nowMs - 20_000;
      expect(await worker.look()).toBeUndefined();
    }
  });
});

test('a look that fails says nothing either way', async () => {
  const worker = setup();
  let fails = true;
  const look = progressWatch(
    {
      takeable: () => (fails ? Promise.reject(new Error('redis is away')) : Promise.resolve(7)),
      lastSignOfLifeMs: () => 0,
      underWay: () => 0,
      now: () => worker.nowMs,
    },
    POLICY,
  );
  await expect(look()).rejects.toThrow('redis is away');
  worker.nowMs += 100_000;
  fails = false;
  expect(await look()).toBeUndefined();
  worker.nowMs += 45_000;
  expect(await look()).toContain('45 s');
});
