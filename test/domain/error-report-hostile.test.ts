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

test('refuses a time of more than 512 bytes, whose fraction of a second would have no end', () => {
  const time = (digits: number): string => `2026-11-23T09:30:00.${'1'.repeat(digits)}Z`;
  expect(time(491)).toHaveLength(512);
  expect(parse({ ...report, reported_at: time(491) }).kind).toBe('valid');
  expect(problemsOf(parse({ ...report, reported_at: time(492) }))).toEqual([
    {
      field: 'reported_at',
      expected: expect.stringContaining('at most 512 bytes'),
      got: 'a string of 513 bytes',
    },
  ]);
});

test('names ten unknown fields and counts the rest, so that a refusal never outgrows its input', () => {
  const fields = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`field-${n}`, n]));
  const problems = problemsOf(parse({ ...report, ...fields }));
  expect(problems).toHaveLength(11);
  expect(problems.slice(0, 10).map(({ field }) => field)).toEqual(
    Array.from({ length: 10 }, (_, n) => `field-${n}`),
  );
  expect(problems.at(-1)).toMatchObject({ field: '', got: '99990 more unknown fields' });
});

test('cuts the name of an unknown field to 64 characters, never through a surrogate pair', () => {
  const [exact] = problemsOf(parse({ ...report, ['n'.repeat(64)]: 1 }));
  expect(exact?.field).toBe('n'.repeat(64));
  const [cut] = problemsOf(parse({ ...report, [`${'n'.repeat(63)}😀tail`]: 1 }));
  expect(cut?.field.isWellFormed()).toBe(true);
  expect(cut?.field.startsWith('n'.repeat(63))).toBe(true);
  expect(cut?.field.endsWith('…')).toBe(true);
  expect(cut?.field).toHaveLength(65);
});

test.each([
  [undefined, 'nothing'],
  [null, 'null'],
  [42, 'the number 42'],
  [Number.NaN, 'the number NaN'],
  [true, 'the boolean true'],
  [42n, 'a bigint'],
  [Symbol('secret'), 'a symbol'],
  [() => 'secret', 'a function'],
  [['secret'], 'an array'],
  [{ password: 'secret' }, 'an object'],
  [new Date(0), 'an object'],
  [new Map([['error', 'secret']]), 'an object'],
  ['', 'an empty string'],
])('says of %o in a field that it got %s', (value, got) => {
  expect(problemsOf(parse({ ...report, error: value }))).toEqual([
    { field: 'error', expected: 'a string of 1 to 1048576 bytes of UTF-8', got },
  ]);
});
