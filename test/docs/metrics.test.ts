import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../src/adapters/observe/metrics.ts';
import { tableOf, unquoted } from './markdown.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const declared = async (): Promise<string[][]> => {
  const text = await createMetrics().print();
  return [...text.matchAll(/^# TYPE (sync_error_relay_\w+) (\w+)$/gm)].map(([, name, type]) => [
    name ?? '',
    type ?? '',
  ]);
};

test('docs/metrics.md names every metric, and none that there is not', async () => {
  const rows = tableOf(read('docs/metrics.md')).map(([name, type]) => [unquoted(name), type]);
  expect(rows.toSorted()).toEqual((await declared()).toSorted());
});

test('the alerts are made of metrics that there are', async () => {
  const names = (await declared()).flatMap(([name, type]) =>
    type === 'histogram' ? [`${name}_count`] : [name],
  );
  const { groups } = parse(read('deploy/prometheus-rules.yml')) as {
    readonly groups: readonly {
      readonly rules: readonly { readonly alert: string; readonly expr: string }[];
    }[];
  };
  const rules = groups.flatMap(({ rules: each }) => each);
  expect(rules.length).toBeGreaterThan(5);
  for (const { alert, expr } of rules) {
    const used = expr.match(/sync_error_relay_\w+/g) ?? [];
    expect(used.length, alert).toBeGreaterThan(0);
    for (const name of used) expect(names, alert).toContain(name);
  }
});
