import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  describeProblems,
  errorReportParser,
  type ParsedReport,
  type ReportProblem,
} from '../../src/domain/error-report.ts';

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

test.each([
  [undefined, 'nothing'],
  [null, 'null'],
  [42, 'the number 42'],
  [false, 'the boolean false'],
  [42n, 'a bigint'],
  [Symbol('report'), 'a symbol'],
  [() => report, 'a function'],
  [[report], 'an array'],
  ['{"connector_sync_job_id":"a","error":"b"}', 'a string of 41 bytes'],
])('refuses %o, which is no object', (value, got) => {
  expect(problemsOf(parse(value))).toEqual([
    { field: '', expected: 'a JSON object with connector_sync_job_id and error', got },
  ]);
});

test.each([
  ['a Date', new Date(0)],
  ['a Map with the right keys', new Map(Object.entries(report))],
  ['an Error', new Error('TimeoutError')],
  ['a Promise of a report', Promise.resolve(report)],
])('refuses %s, which holds no fields', (_, value) => {
  expect(problemsOf(parse(value)).map(({ field }) => field)).toEqual(['connector_sync_job_id', 'error']);
});

test('accepts an instance of a class that has the fields', () => {
  class Failure {
    readonly connector_sync_job_id = 'a-sync-job';
    readonly error = 'TimeoutError';
  }
  expect(parse(new Failure())).toEqual({ kind: 'valid', report });
});

describe('an own __proto__ field, which JSON.parse makes', () => {
  const text = '{"connector_sync_job_id":"a-sync-job","error":"x","__proto__":{"source":"polluted"}}';

  test('is refused like any unknown field', () => {
    expect(problemsOf(parse(JSON.parse(text))).map(({ field }) => field)).toEqual(['__proto__']);
  });

  test('never stands in for fields that are missing', () => {
    const problems = problemsOf(
      parse(
        JSON.parse('{"__proto__":{"connector_sync_job_id":"a","error":"b"},"constructor":1,"toString":1}'),
      ),
    );
    expect(problems.map(({ field }) => field)).toEqual([
      'connector_sync_job_id',
      'error',
      '__proto__',
      'constructor',
      'toString',
    ]);
  });

  test('changes no prototype', () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    parse(JSON.parse(text));
    parse(JSON.parse('{"constructor":{"prototype":{"source":"polluted"}}}'));
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    expect('source' in {}).toBe(false);
  });
});

describe('whatever comes', () => {
  const fieldNames = fc.constantFrom(
    'connector_sync_job_id',
    'error',
    'connector_id',
    'source',
    'reported_at',
    'idempotency_key',
    '__proto__',
    'constructor',
    'extra',
  );
  const leaf = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true });
  const anything = fc.oneof(leaf, fc.dictionary(fieldNames, leaf, { noNullPrototype: false }));

  test('it is parsed without throwing, into a report or at least one problem', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const parsed = parse(value);
        if (parsed.kind === 'invalid') {
          expect(parsed.problems.length).toBeGreaterThan(0);
          expect(describeProblems(parsed.problems)).toMatch(/expected .+, got .+/);
        } else {
          expect(parse(parsed.report)).toEqual(parsed);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('no problem repeats a text, wherever it was put', () => {
    const secret = 'hunter2-is-the-password';
    const places = fc.constantFrom(
      secret,
      secret.repeat(1000),
      [secret],
      { password: secret },
      Symbol(secret),
    );
    fc.assert(
      fc.property(fc.oneof(places, fc.dictionary(fieldNames, places, { minKeys: 1 })), (value) => {
        const parsed = parse(value);
        fc.pre(parsed.kind === 'invalid');
        expect(JSON.stringify(problemsOf(parsed))).not.toContain('hunter2');
      }),
    );
  });

  test('a refusal stays small', () => {
    const names = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(fc.dictionary(names, fc.constant(1), { minKeys: 1, maxKeys: 60, size: 'max' }), (value) => {
        expect(JSON.stringify(problemsOf(parse(value))).length).toBeLessThan(10_000);
      }),
    );
  });
});
