import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  describeProblems,
  type ErrorReport,
  errorReportParser,
  errorReportSchema,
} from '../../src/domain/error-report.ts';
import { anyText, utf8Of } from './arbitraries.ts';

const limits = { maxErrorBytes: 1_048_576 };
const parse = errorReportParser(limits);

const report: ErrorReport = { connector_sync_job_id: 'a-sync-job', error: 'TimeoutError' };

/** The fields that were refused, in order. */
function refused(value: unknown): readonly string[] {
  const parsed = parse(value);
  return parsed.kind === 'valid' ? [] : parsed.problems.map(({ field }) => field);
}

const accepts = (value: unknown): boolean => parse(value).kind === 'valid';

describe('a report', () => {
  test('is accepted as it came, with every field it has', () => {
    const whole = {
      ...report,
      connector_id: 'postgresql-1',
      source: 'host-7',
      reported_at: '2026-11-23T09:30:00Z',
      idempotency_key: 'run-42',
    };
    expect(parse(whole)).toEqual({ kind: 'valid', report: whole });
    expect(parse(report)).toEqual({ kind: 'valid', report });
  });

  test('is accepted unchanged whatever text its fields hold, within their lengths', () => {
    const short = anyText({ minLength: 1, maxLength: 170 });
    const id = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 128 })
      .filter((text) => !/^\.\.?$/.test(text));
    const reports = fc.record(
      { connector_sync_job_id: id, error: short, connector_id: short, source: short, idempotency_key: short },
      { requiredKeys: ['connector_sync_job_id', 'error'] },
    );
    fc.assert(
      fc.property(reports, (value) => {
        expect(parse(value)).toEqual({ kind: 'valid', report: value });
        expect(parse(JSON.parse(JSON.stringify(value)))).toEqual({ kind: 'valid', report: value });
      }),
    );
  });

  test('is a new object, so that a caller who changes its own changes nothing', () => {
    const parsed = parse(report);
    expect(parsed).toEqual({ kind: 'valid', report });
    expect(parsed.kind === 'valid' && parsed.report).not.toBe(report);
  });

  test('needs no prototype', () => {
    expect(accepts(Object.assign(Object.create(null), report))).toBe(true);
  });

  test('has one schema, which says the same as the parser', () => {
    const schema = errorReportSchema(limits);
    expect(schema.safeParse(report).success).toBe(true);
    expect(schema.safeParse({ ...report, foo: 1 }).success).toBe(false);
    expect(schema.safeParse({ ...report, error: '' }).success).toBe(false);
  });
});

describe('connector_sync_job_id', () => {
  const acceptsId = (id: string): boolean => accepts({ ...report, connector_sync_job_id: id });

  test.each([
    ['one byte', 'a'.repeat(512), 'a'.repeat(513)],
    ['two bytes', 'é'.repeat(256), `${'é'.repeat(256)}a`],
    ['three bytes', `${'語'.repeat(170)}aa`, '語'.repeat(171)],
    ['four bytes', '😀'.repeat(128), `${'😀'.repeat(128)}a`],
  ])('may have 512 bytes and no more, in characters of %s', (_, longest, tooLong) => {
    expect(Buffer.byteLength(longest)).toBe(512);
    expect(acceptsId(longest)).toBe(true);
    expect(acceptsId(tooLong)).toBe(false);
  });

  test('is measured in bytes, not in characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 700, size: 'max' }), (id) => {
        fc.pre(id !== '.' && id !== '..');
        expect(acceptsId(id)).toBe(utf8Of(id).length <= 512);
      }),
    );
  });

  test.each(['', '.', '..'])('is never %o, which would change the path it stands in', (id) => {
    expect(refused({ ...report, connector_sync_job_id: id })).toEqual(['connector_sync_job_id']);
  });

  test.each([
    '...',
    './',
    ' ',
    ' . ',
    '.\u0000',
    '%2e%2e',
    '%2E',
    'a/b',
    '../b',
    '..%2f..',
    '..\\..',
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'a\u0000b',
    '\u0000',
    'a\r\nHost: elsewhere',
    'a?pretty#x',
    'meta',
    'ＡＢＣ',
    '\u{10FFFF}',
    '\uFEFF',
    '0',
    '-1',
  ])('may be %o', (id) => {
    expect(parse({ ...report, connector_sync_job_id: id })).toEqual({
      kind: 'valid',
      report: { ...report, connector_sync_job_id: id },
    });
  });

  test.each(['\ud800', 'a\udc00', '\udc00\ud800', '😀\ud83d'])('is well-formed Unicode, unlike %j', (id) => {
    expect(parse({ ...report, connector_sync_job_id: id })).toMatchObject({
      kind: 'invalid',
      problems: [
        { field: 'connector_sync_job_id', expected: 'well-formed Unicode, without lone surrogates' },
      ],
    });
  });
});

describe('error', () => {
  test.each([
    ['1 MiB in characters of one byte', 'a'.repeat(1_048_576), 'a'.repeat(1_048_577)],
    ['1 MiB in characters of four bytes', '😀'.repeat(262_144), `${'😀'.repeat(262_144)}a`],
  ])('may be as long as its limit, %s, and no longer', (_, longest, tooLong) => {
    expect(accepts({ ...report, error: longest })).toBe(true);
    expect(refused({ ...report, error: tooLong })).toEqual(['error']);
  });

  test('has the limit that the operator sets', () => {
    const parseShort = errorReportParser({ maxErrorBytes: 3 });
    expect(parseShort({ ...report, error: '語' }).kind).toBe('valid');
    expect(parseShort({ ...report, error: '語a' })).toEqual({
      kind: 'invalid',
      problems: [
        { field: 'error', expected: 'a string of 1 to 3 bytes of UTF-8', got: 'a string of 4 bytes' },
      ],
    });
  });

  test('is never empty, but may be blank', () => {
    expect(refused({ ...report, error: '' })).toEqual(['error']);
    expect(accepts({ ...report, error: ' ' })).toBe(true);
    expect(accepts({ ...report, error: '\n' })).toBe(true);
  });

  test('keeps lone surrogates, which only sending replaces', () => {
    const error = 'before \ud800 after';
    expect(parse({ ...report, error })).toEqual({ kind: 'valid', report: { ...report, error } });
  });
});

describe('the fields that may be absent', () => {
  test.each(['connector_id', 'source', 'idempotency_key'])('%s has 1 to 512 bytes', (field) => {
    expect(accepts({ ...report, [field]: 'é'.repeat(256) })).toBe(true);
    expect(refused({ ...report, [field]: `${'é'.repeat(256)}a` })).toEqual([field]);
    expect(refused({ ...report, [field]: '' })).toEqual([field]);
    expect(refused({ ...report, [field]: null })).toEqual([field]);
    expect(accepts({ ...report, [field]: undefined })).toBe(true);
  });

  test.each([
    '2026-11-23T09:30:00Z',
    '2026-11-23T09:30:00.5Z',
    '2026-11-23T09:30:00.123456789Z',
    '2026-11-23T09:30:00+01:00',
    '2026-11-23T09:30:00-11:30',
    '2024-02-29T23:59:59Z',
  ])('reported_at may be %s', (reported_at) => {
    expect(parse({ ...report, reported_at })).toEqual({ kind: 'valid', report: { ...report, reported_at } });
  });

  test.each([
    '',
    'yesterday',
    '2026-11-23',
    '2026-11-23 09:30:00Z',
    '2026-11-23T09:30Z',
    '2026-11-23T09:30:00',
    '2026-11-23T09:30:00+0100',
    '2026-11-23T09:30:00+24:00',
    '2026-11-23T24:00:00Z',
    '2026-11-23T23:59:60Z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-23T09:30:00Z\n',
    1_795_426_200_000,
    new Date(0),
    null,
  ])('reported_at is never %o', (reported_at) => {
    expect(refused({ ...report, reported_at })).toEqual(['reported_at']);
  });

  test('reported_at may be any moment that a Date can write', () => {
    const from = new Date('0001-01-01T00:00:00Z');
    const to = new Date('9999-12-31T23:59:59.999Z');
    fc.assert(
      fc.property(fc.date({ min: from, max: to, noInvalidDate: true }), (date) => {
        expect(accepts({ ...report, reported_at: date.toISOString() })).toBe(true);
      }),
    );
  });
});

describe('a refusal', () => {
  test('tells all problems at once, in the order of the fields, unknown ones last', () => {
    const value = {
      typo: 1,
      idempotency_key: '',
      reported_at: 'now',
      source: [],
      connector_id: {},
      error: 42,
      connector_sync_job_id: '..',
    };
    expect(parse(value)).toEqual({
      kind: 'invalid',
      problems: [
        { field: 'connector_sync_job_id', expected: 'an id other than "." and ".."', got: '".."' },
        { field: 'error', expected: 'a string of 1 to 1048576 bytes of UTF-8', got: 'the number 42' },
        { field: 'connector_id', expected: 'a string of 1 to 512 bytes of UTF-8', got: 'an object' },
        { field: 'source', expected: 'a string of 1 to 512 bytes of UTF-8', got: 'an array' },
        {
          field: 'reported_at',
          expected:
            'an ISO 8601 date and time with a zone, such as 2026-11-23T09:30:00Z, of at most 512 bytes',
          got: 'a string of 3 bytes',
        },
        { field: 'idempotency_key', expected: 'a string of 1 to 512 bytes of UTF-8', got: 'an empty string' },
        {
          field: 'typo',
          expected: 'one of connector_sync_job_id, error, connector_id, source, reported_at, idempotency_key',
          got: 'an unknown field',
        },
      ],
    });
  });

  test('tells of a field only the first thing that is wrong with it', () => {
    expect(refused({ ...report, connector_sync_job_id: '\ud800'.repeat(600) })).toEqual([
      'connector_sync_job_id',
    ]);
  });

  test('says what is missing', () => {
    const got = 'nothing';
    expect(parse({})).toMatchObject({
      problems: [
        { field: 'connector_sync_job_id', got },
        { field: 'error', got },
      ],
    });
  });

  test('reads as one line', () => {
    const parsed = parse({ error: '', typo: 1 });
    expect(parsed.kind === 'invalid' && describeProblems(parsed.problems)).toBe(
      'connector_sync_job_id: expected a string of 1 to 512 bytes of UTF-8, got nothing; ' +
        'error: expected a string of 1 to 1048576 bytes of UTF-8, got an empty string; ' +
        'typo: expected one of connector_sync_job_id, error, connector_id, source, reported_at, idempotency_key, ' +
        'got an unknown field',
    );
  });

  test('begins with what was expected where the value as a whole is no report', () => {
    const parsed = parse([]);
    expect(parsed.kind === 'invalid' && describeProblems(parsed.problems)).toBe(
      'expected a JSON object with connector_sync_job_id and error, got an array',
    );
  });
});
