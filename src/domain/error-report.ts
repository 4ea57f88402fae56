import { Buffer } from 'node:buffer';
import { z } from 'zod';

/**
 * What a connector says went wrong with one sync job. The names are those of Elasticsearch's API and
 * are the same in TypeScript, HTTP, NDJSON and Redis.
 */
export interface ErrorReport {
  /** The sync job it is about: 1 to 512 bytes of UTF-8, never `.` or `..`, any other character allowed. */
  readonly connector_sync_job_id: string;
  /** What went wrong, in full. Elasticsearch gets at most 32,766 bytes of it, see `shortenError`. */
  readonly error: string;
  /** The connector the sync job belongs to, at most 512 bytes; for people who look at dead letters. */
  readonly connector_id?: string | undefined;
  /** Who reports, a host or a service for instance, at most 512 bytes. */
  readonly source?: string | undefined;
  /** When it went wrong: ISO 8601 with a time zone, `2026-11-23T09:30:00Z` or `…+01:00`, at most 512 bytes. */
  readonly reported_at?: string | undefined;
  /** Makes two reports for one sync job the same one although their texts differ, at most 512 bytes. */
  readonly idempotency_key?: string | undefined;
}

/** What the operator may set about reports. */
export interface ReportLimits {
  /** Longest accepted `error`, in bytes of UTF-8. */
  readonly maxErrorBytes: number;
}

/** One thing wrong with one field: what was expected there and what came. Never carries a field's whole text. */
export interface ReportProblem {
  /** The field's name, at most 64 characters of it, or empty where the value as a whole is wrong. */
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

export type ParsedReport =
  | { readonly kind: 'valid'; readonly report: ErrorReport }
  | { readonly kind: 'invalid'; readonly problems: readonly ReportProblem[] };

const MAX_FIELD_BYTES = 512;

const REPORTED_AT = `an ISO 8601 date and time with a zone, such as 2026-11-23T09:30:00Z, of at most ${MAX_FIELD_BYTES} bytes`;

/** JSON writes one byte as six where it escapes it. */
const MOST_BYTES_A_BYTE = 6;

/** Names, quotes and other fields of a report, and a bundle of reports with short texts; far more than they take. */
const OTHER_BYTES = 4_194_304;

/** Most bytes that a stored payload with reports within these limits has, as JSON. */
export function longestPayloadBytes({ maxErrorBytes }: ReportLimits): number {
  return maxErrorBytes * MOST_BYTES_A_BYTE + OTHER_BYTES;
}

/** A path segment of `.` or `..` changes the path it stands in, and no client escapes it. */
const isPathStep = (text: string): boolean => text === '.' || text === '..';

const fits = (maxBytes: number) => (text: string) => Buffer.byteLength(text) <= maxBytes;

const field = (maxBytes: number) => {
  const expected = `a string of 1 to ${maxBytes} bytes of UTF-8`;
  return z.string(expected).min(1, expected).refine(fits(maxBytes), expected);
};

/**
 * The one schema of a report, for NDJSON, HTTP, the library and the queue's own payloads.
 *
 * Unknown fields are refused, everywhere: a misspelt `connector_id` is told to the producer instead of
 * vanishing, and Elasticsearch's own parser is as strict.
 */
export const errorReportSchema = (limits: ReportLimits): z.ZodType<ErrorReport> =>
  z.strictObject({
    connector_sync_job_id: field(MAX_FIELD_BYTES)
      .refine((id) => id.isWellFormed(), 'well-formed Unicode, without lone surrogates')
      .refine((id) => !isPathStep(id), 'an id other than "." and ".."'),
    error: field(limits.maxErrorBytes),
    connector_id: field(MAX_FIELD_BYTES).optional(),
    source: field(MAX_FIELD_BYTES).optional(),
    // ISO 8601 sets no end to the fraction of a second, so the length needs its own.
    reported_at: z.iso
      .datetime({ offset: true, error: REPORTED_AT })
      .max(MAX_FIELD_BYTES, REPORTED_AT)
      .optional(),
    idempotency_key: field(MAX_FIELD_BYTES).optional(),
  });

/** A parser for one set of limits, made once because building a schema costs more than using it. */
export type ParseErrorReport = (value: unknown) => ParsedReport;

/**
 * Makes the parser from anything at all to a report.
 *
 * The parser never throws and reports all problems at once, in the order of the fields.
 */
export function errorReportParser(limits: ReportLimits): ParseErrorReport {
  const schema = errorReportSchema(limits);
  return (value) => {
    try {
      return parseWith(schema, value);
    } catch {
      // JSON holds nothing that throws when it is read; a caller's object may, with a getter or as a proxy.
      return { kind: 'invalid', problems: [notAReport('an object that cannot be read')] };
    }
  };
}

function parseWith(schema: z.ZodType<ErrorReport>, value: unknown): ParsedReport {
  const unknown = unknownFields(value);
  const parsed = schema.safeParse(value);
  if (parsed.success && unknown.length === 0) return { kind: 'valid', report: parsed.data };
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemOf(issue, value));
  return { kind: 'invalid', problems: [...firstOfEachField(problems), ...unknown] };
}

/** Zod passes `__proto__` over, so that the one rule about unknown fields has to be kept here. */
const FIELDS: ReadonlySet<string> = new Set<keyof ErrorReport>([
  'connector_sync_job_id',
  'error',
  'connector_id',
  'source',
  'reported_at',
  'idempotency_key',
]);

/** Unknown fields that are told by name: an input of many of them must not grow into a larger refusal. */
const MAX_NAMED_FIELDS = 10;

function unknownFields(value: unknown): ReportProblem[] {
  if (!isObject(value)) return [];
  const names = Object.keys(value).filter((name) => !FIELDS.has(name));
  if (names.length === 0) return [];
  const expected = `one of ${[...FIELDS].join(', ')}`;
  const named = names
    .slice(0, MAX_NAMED_FIELDS)
    .map((name) => ({ field: abbreviate(name), expected, got: 'an unknown field' }));
  const more = names.length - named.length;
  return more === 0 ? named : [...named, { field: '', expected, got: `${more} more unknown fields` }];
}

function problemOf(issue: z.core.$ZodIssue, value: unknown): ReportProblem[] {
  if (issue.code === 'unrecognized_keys') return [];
  const [name] = issue.path;
  if (name === undefined || !isObject(value)) return [notAReport(describe(value))];
  const key = String(name);
  return [
    {
      field: key,
      expected: issue.message,
      got: describe(Object.hasOwn(value, key) ? value[key] : undefined),
    },
  ];
}

const notAReport = (got: string): ReportProblem => ({
  field: '',
  expected: 'a JSON object with connector_sync_job_id and error',
  got,
});

/** A field that breaks two rules is told about the first; the second often only repeats it. */
function firstOfEachField(problems: readonly ReportProblem[]): ReportProblem[] {
  return problems.filter((problem, index) => problems.findIndex((p) => p.field === problem.field) === index);
}

/** Says what a value is without repeating it: it may be large, and it may be a secret in the wrong place. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') {
    if (value === '') return 'an empty string';
    return isPathStep(value) ? `"${value}"` : `a string of ${Buffer.byteLength(value)} bytes`;
  }
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${value}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function abbreviate(name: string): string {
  return name.length <= 64 ? name : `${name.slice(0, 64).toWellFormed()}…`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One line for people: every problem with its field, what was expected and what came. */
export function describeProblems(problems: readonly ReportProblem[]): string {
  return problems
    .map(
      ({ field: name, expected, got }) => `${name === '' ? '' : `${name}: `}expected ${expected}, got ${got}`,
    )
    .join('; ');
}
