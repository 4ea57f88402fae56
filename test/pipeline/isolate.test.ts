import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isolation } from '../../src/pipeline/isolate.ts';

function setup() {
  const { enter, leave, alone } = isolation();
  const together = async <T>(run: () => Promise<T>): Promise<T> => {
    await enter();
    try {
      return await run();
    } finally {
      leave();
    }
  };
  return { together, alone };
}

/** Work that goes on until the test ends it. */
interface Work {
  readonly run: () => Promise<string>;
  readonly isRunning: () => boolean;
  readonly end: () => void;
}

function work(name = 'done'): Work {
  const ended = Promise.withResolvers<string>();
  let running = false;
  return {
    run: async () => {
      running = true;
      try {
        return await ended.promise;
      } finally {
        running = false;
      }
    },
    isRunning: () => running,
    end: () => ended.resolve(name),
  };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('what runs together', () => {
  test('runs at the same time, and gives back what it came to', async () => {
    const { together } = setup();
    const [a, b] = [work('a'), work('b')];
    const both = Promise.all([together(a.run), together(b.run)]);
    await settled();

    expect([a.isRunning(), b.isRunning()]).toEqual([true, true]);
    a.end();
    b.end();
    expect(await both).toEqual(['a', 'b']);
  });
});

describe('a suspect', () => {
  test('begins when everything that ran before has ended, and not earlier', async () => {
    const { together, alone } = setup();
    const [a, b, suspect] = [work(), work(), work()];
    const all = [together(a.run), together(b.run), alone(suspect.run)];
    await settled();
    expect(suspect.isRunning()).toBe(false);

    a.end();
    await settled();
    expect(suspect.isRunning()).toBe(false);
    b.end();
    await settled();
    expect(suspect.isRunning()).toBe(true);
    suspect.end();
    await Promise.all(all);
  });

  test('keeps back everything that comes after it until it has ended', async () => {
    const { together, alone } = setup();
    const [before, suspect, after] = [work(), work(), work()];
    const all = [together(before.run), alone(suspect.run), together(after.run)];
    await settled();
    expect(after.isRunning()).toBe(false);

    before.end();
    await settled();
    expect([suspect.isRunning(), after.isRunning()]).toEqual([true, false]);
    suspect.end();
    await settled();
    expect(after.isRunning()).toBe(true);
    after.end();
    await Promise.all(all);
  });

  test('waits for another one, first come, first served', async () => {
    const { alone } = setup();
    const suspects = [work(), work(), work()];
    const all = suspects.map(({ run }) => alone(run));
    for (const [n, suspect] of suspects.entries()) {
      await settled();
      expect(suspects.map(({ isRunning }) => isRunning())).toEqual([0, 1, 2].map((other) => other === n));
      suspect.end();
    }
    await Promise.all(all);
  });
});

test('work that fails makes room like any other, and its failure is told', async () => {
  const { together, alone } = setup();
  await expect(alone(() => Promise.reject(new Error('alone')))).rejects.toThrow('alone');
  await expect(together(() => Promise.reject(new Error('together')))).rejects.toThrow('together');
  await expect(
    alone(() => {
      throw new Error('at once');
    }),
  ).rejects.toThrow('at once');
  expect(await together(async () => 'runs')).toBe('runs');
  expect(await alone(async () => 'runs')).toBe('runs');
});

test('whatever comes when, everything runs once, and nothing runs beside a suspect', async () => {
  const step = fc.record({
    isSuspect: fc.boolean(),
    fails: fc.boolean(),
    turnsBefore: fc.nat(3),
    turnsWithin: fc.nat(3),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const { together, alone } = setup();
      const running = { suspects: 0, others: 0 };
      const seen = { begun: 0, overlaps: 0 };
      const started: Promise<unknown>[] = [];
      for (const { isSuspect, fails, turnsBefore, turnsWithin } of steps) {
        for (let n = 0; n < turnsBefore; n += 1) await Promise.resolve();
        const kind = isSuspect ? 'suspects' : 'others';
        const run = async (): Promise<void> => {
          seen.begun += 1;
          running[kind] += 1;
          for (let n = 0; n <= turnsWithin; n += 1) {
            if (running.suspects > 1 || (running.suspects === 1 && running.others > 0)) seen.overlaps += 1;
            await Promise.resolve();
          }
          running[kind] -= 1;
          if (fails) throw new Error('failed');
        };
        started.push(isSuspect ? alone(run) : together(run));
      }
      const outcomes = await Promise.allSettled(started);
      expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(steps.map(({ fails }) => fails));
      expect(seen).toEqual({ begun: steps.length, overlaps: 0 });
    }),
  );
});
