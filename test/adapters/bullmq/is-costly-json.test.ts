import { expect, test } from 'vitest';
import { isCostlyJson } from '../../../src/adapters/bullmq/is-costly-json.ts';
import { bundlesOf, writeBundle } from '../../../src/domain/bundle.ts';

const report = (error: string) => ({
  id: `r-${'x'.repeat(24)}`,
  enqueuedAtMs: 0,
  report: { connector_sync_job_id: 'a', error },
});

test('no report and no bundle is, whatever its texts hold', () => {
  const error = '[{"\\'.repeat(100_000);
  expect(isCostlyJson(JSON.stringify(report(error).report))).toBe(false);
  const [bundle = []] = bundlesOf(
    Array.from({ length: 100 }, () => report(error.slice(0, 600))),
    () => 600,
  );
  expect(bundle).toHaveLength(100);
  expect(isCostlyJson(JSON.stringify(writeBundle(bundle)))).toBe(false);
});

const LONG = 70_000;

test.each([
  ['arrays in arrays', '['.repeat(LONG)],
  ['objects in objects', '{"a":'.repeat(LONG / 5)],
  ['very many arrays', `[${'[],'.repeat(LONG / 3)}`],
  ['very many numbers', `[${'1,'.repeat(LONG / 2)}`],
  ['very many members', `{${'"a":1,'.repeat(LONG / 6)}`],
  ['brackets behind a text that holds quotes', `["\\"","\\\\"${',['.repeat(LONG)}`],
])('%s are', (_, text) => {
  expect(isCostlyJson(text)).toBe(true);
});

test('what is short is not, whatever it holds', () => {
  expect(isCostlyJson('['.repeat(65_536))).toBe(false);
});

test.each(['"', '"\\', 'no JSON', ']]]]', '[]', '{}'])('a long text of %j is not', (text) => {
  expect(isCostlyJson(text.padStart(LONG))).toBe(false);
});
