import { expect, test } from 'vitest';
import { type Figure, figureSet } from '../../bench/figures/figure.ts';
import { GOALS, type Goal, MEASURE_IDS } from '../../bench/figures/goals.ts';
import { judge, meets } from '../../bench/figures/judge.ts';
import { MEASURES } from '../../bench/measures/index.ts';
import { pickGoals } from '../../bench/run-measures.ts';

const rate = (name: string, samples: readonly number[]): Figure => ({
  key: `throughput_0.rate.${name}`,
  title: name,
  unit: 'reports/s',
  samples,
});

function goal(key: string): Goal {
  const [found] = pickGoals(key);
  if (found === undefined) throw new Error(`no goal ${key}`);
  return found;
}

test('a ratio is taken within each round, and its median is judged', () => {
  const figures = figureSet([rate('ours', [130, 65, 100]), rate('straightforward', [100, 50, 80])]);
  expect(judge([goal('p1')], figures)).toEqual([
    expect.objectContaining({
      key: 'p1',
      ratio: 1.3,
      median: 1.3,
      min: 1.25,
      max: 1.3,
      goal: '>= 1.3',
      holds: true,
    }),
  ]);
});

test('the best round does not make a goal hold', () => {
  const figures = figureSet([rate('ours', [200, 120, 120]), rate('straightforward', [100, 100, 100])]);
  expect(judge([goal('p1')], figures)[0]).toMatchObject({ median: 1.2, max: 2, holds: false });
});

test('what is measured in ms or s is told against what is demanded too', () => {
  const figures = figureSet([{ key: 'batch.applied', title: 'a batch', unit: 's', samples: [1.5, 2.5, 9] }]);
  expect(judge([goal('p11')], figures)).toEqual([
    expect.objectContaining({ median: 2.5, ratio: 0.5, unit: 's', goal: '<= 5 s', holds: true }),
  ]);
});

test('the CPU of worker and Redis is added before it is compared', () => {
  const cpu = (part: string, name: string, micros: number): Figure => ({
    key: `throughput_0.${part}.${name}`,
    title: name,
    unit: 'µs',
    samples: [micros],
  });
  const figures = figureSet([
    cpu('worker_cpu', 'ours', 60),
    cpu('redis_cpu', 'ours', 40),
    cpu('worker_cpu', 'straightforward', 150),
    cpu('redis_cpu', 'straightforward', 50),
  ]);
  expect(judge([goal('p5')], figures)[0]).toMatchObject({ ratio: 0.5, holds: true });
});

test('a goal whose figures are missing is not judged', () => {
  expect(judge(GOALS, figureSet([rate('ours', [1])]))).toEqual([]);
});

test('a value that is no number meets no demand', () => {
  expect(meets(Number.NaN, { atLeast: 0 })).toBe(false);
  expect(meets(Number.NaN, { atMost: 1 })).toBe(false);
  expect(meets(1, { atMost: 1 })).toBe(true);
  expect(meets(1, { atLeast: 1 })).toBe(true);
});

test('two figures of one name are refused', () => {
  expect(() => figureSet([rate('ours', [1]), rate('ours', [2])])).toThrow('the same key');
});

test('goals are picked by name, and an unknown one is told', () => {
  expect(pickGoals('p1, P2_5').map(({ key }) => key)).toEqual(['p1', 'p2_5']);
  expect(pickGoals(undefined)).toBe(GOALS);
  expect(() => pickGoals('p1,p99')).toThrow('got p99');
});

test('every measure is there once, and every goal has a name of its own', () => {
  expect(MEASURES.map(({ id }) => id).sort()).toEqual([...MEASURE_IDS].sort());
  expect(new Set(GOALS.map(({ key }) => key)).size).toBe(GOALS.length);
});
