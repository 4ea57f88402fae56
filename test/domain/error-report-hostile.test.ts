import { expect, test } from 'vitest';
import { errorReportParser, type ParsedReport, type ReportProblem } from '../../src/domain/error-report.ts';

const parse = errorReportParser({ maxErrorBytes: 1_048_576 });

const report = { connector_sync_job_id: 'a-sync-job', error: 'TimeoutError' };

function problemsOf(parsed: ParsedReport): readonly ReportProblem[] {
  if (parsed.kind === 'valid') throw new Error('expected the value to be refused');
  return parsed.problems;
}

const boom = (): never => {
  throw new Error('read me not');
};
const revoked = (): unknown => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

test.each([
  ['a getter that throws', Object.defineProperty({ ...report }, 'error', { get: boom, enumerable: true })],
  ['a proxy that throws when a field is read', new Proxy(report, { get: boom })],
  ['a proxy that throws when its fields are listed', new Proxy(report, { ownKeys: boom })],
  ['a proxy that throws when a field is looked for', new Proxy(report, { has: boom, ownKeys: boom })],
  ['a revoked proxy', revoked()],
  ['a revoked proxy in a field', { ...report, error: revoked() }],
])('refuses %s without throwing', (_, value) => {
  expect(problemsOf(parse(value))).toEqual([
    {
      field: '',
      expected: 'a JSON object with connector_sync_job_id and error',
      got: 'an object that cannot be read',
    },
  ]);
});
