import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { figureSet } from '../../bench/figures/figure.ts';
import { inRounds } from '../../bench/measures/in-rounds.ts';
import { drawCharts } from '../../bench/output/draw-charts.ts';
import { formatValue } from '../../bench/output/format.ts';
import { replacePart } from '../../bench/output/write-docs.ts';

test('subjects take turns, and each round begins with another one', async () => {
  const order: string[] = [];
  const values = await inRounds(3, ['a', 'b'], async (name, round) => {
    order.push(name);
    return `${name}${round}`;
  });
  expect(order.join('')).toBe('abbaab');
  expect(values.get('b')).toEqual(['b0', 'b1', 'b2']);
});

test('values are told with three digits that say something', () => {
  expect(formatValue(1.234)).toBe('1.23');
  expect(formatValue(12.34, 'ms')).toBe('12.3 ms');
  expect(formatValue(12_345.6, 'reports/s')).toBe('12,346 reports/s');
  expect(formatValue(Number.NaN)).toBe('–');
});

test('figures are written between their marks, again and again, and nothing else changes', () => {
  const page = 'before\n<!-- bench:goals -->\nold\n<!-- /bench:goals -->\nafter\n';
  const once = replacePart(page, 'goals', '| new |');
  expect(once).toBe('before\n<!-- bench:goals -->\n\n| new |\n\n<!-- /bench:goals -->\nafter\n');
  expect(replacePart(once, 'goals', '| new |')).toBe(once);
  expect(() => replacePart(page, 'run', '')).toThrow('bench:run');
});

test('the page has all marks', async () => {
  const page = await readFile(new URL('../../docs/performance.md', import.meta.url), 'utf8');
  for (const part of ['run', 'goals', 'charts', 'sizing', 'figures'])
    expect(replacePart(page, part, 'x')).toContain('\n\nx\n\n');
});

test('a chart is drawn where its figures are, with their names and values', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'charts-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const figures = figureSet([
    { key: 'throughput_0.rate.ours', title: '', unit: 'reports/s', samples: [11_000, 12_345, 13_000] },
    { key: 'throughput_0.rate.bee', title: '', unit: 'reports/s', samples: [678] },
  ]);
  expect(await drawCharts(figures, folder)).toEqual([
    { file: 'performance-throughput.svg', title: expect.stringContaining('Elasticsearch at 0 ms') },
  ]);
  expect(await readdir(folder)).toEqual(['performance-throughput.svg']);
  const svg = await readFile(join(folder, 'performance-throughput.svg'), 'utf8');
  expect(svg).toMatch(/^<svg /);
  for (const text of ['bee-queue', '12,345', '678']) expect(svg).toContain(`>${text}</text>`);
});
