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

test.each([
  ['arrays in arrays', '['.repeat(17)],
  ['objects in objects', '{"a":'.repeat(17)],
  ['very many arrays', `[${'[],'.repeat(10_000)}`],
  ['brackets behind a text that holds quotes', `["\\"","\\\\"${',['.repeat(17)}`],
])('%s are', (_, text) => {
  expect(isCostlyJson(text)).toBe(true);
});

test.each(['', '"', '"\\', 'no JSON', ']]]]', '[]', '{}'])('%j is not', (text) => {
  expect(isCostlyJson(text)).toBe(false);
});
