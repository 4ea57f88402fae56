/** Requests as nobody should send them. */
import fc from 'fast-check';

const fragments = fc.constantFrom(
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '"error"',
  '"err"',
  '"errors"',
  '"foo"',
  '"x"',
  '""',
  'null',
  'true',
  'fals',
  '1',
  '-',
  '01',
  '1.5e+',
  '1e9',
  ' ',
  '\n',
  '\r\n',
  '\t',
  '/',
  '//',
  '/* c */',
  '/*',
  '\u0000',
  '\u0001',
  'é',
  '😀',
  '"\\u12',
  '"\\ud800"',
  '"\\q"',
  '\ufeff',
  '{"error":',
  '"error":"x"',
  'NaN',
  '$a',
  "'",
);

const values = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(null, true, 0, -1.5, '', ' ', [], {}, ['x'], { error: 'x' }),
);
const names = fc.constantFrom(
  'error',
  'errors',
  'eror',
  'err',
  'Error',
  'foo',
  '',
  'constructor',
  '__proto__',
  'terror',
);

/** JSON, nearly JSON, and bytes that are neither. */
export const bodies: fc.Arbitrary<Buffer> = fc.oneof(
  fc.array(fragments, { maxLength: 12 }).map((parts) => Buffer.from(parts.join(''))),
  fc
    .array(fc.tuple(names, values), { maxLength: 3 })
    .map((fields) =>
      Buffer.from(
        `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
      ),
    ),
  fc
    .tuple(fc.string({ unit: 'binary' }), fc.nat({ max: 40 }), fc.nat({ max: 255 }))
    .map(([error, at, byte]) => {
      const bytes = Buffer.from(JSON.stringify({ error }));
      bytes[at % bytes.length] = byte;
      return bytes;
    }),
  fc
    .tuple(fc.jsonValue(), fc.nat({ max: 60 }))
    .map(([value, end]) => Buffer.from(JSON.stringify(value).slice(0, end))),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

/** Media types, known, unknown and broken. */
export const mediaTypes: fc.Arbitrary<string | undefined> = fc.constantFrom(
  undefined,
  'application/json',
  'application/json; charset=utf-8',
  'APPLICATION/JSON',
  'application/vnd.elasticsearch+json; compatible-with=9',
  'application/vnd.elasticsearch+json;compatible-with=8',
  'application/vnd.elasticsearch+json; compatible-with=7',
  'application/vnd.elasticsearch+json; compatible-with=10',
  'application/vnd.elasticsearch+json',
  'application/x-ndjson',
  'application/vnd.elasticsearch+x-ndjson;compatible-with=9',
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/xml',
  'json',
  'application/json; a',
  'application/json;;',
  '*/*',
  'text/html, application/json;q=0.9',
  'x/y; compatible-with=3',
);

/** Paths under, beside and near the one that there is. */
export const paths: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '/_connector/_sync_job/job/_error',
    '/_connector/_sync_job//_error',
    '/_connector/_sync_job/a%2Fb/_error',
    '/_connector/_sync_job/%C3%A9/_error',
    '/_connector/_sync_job/%ff/_error',
    '/_connector/_sync_job/job/_error/',
    '/_connector/_sync_job/job/_error?pretty',
    '/_connector/_sync_job/job/_error?pretty=false&human',
    '/_connector/_sync_job/job/_error?refresh=true',
    '/_connector/_sync_job/job/_error?prety&humn',
    '/_connector/_sync_job/job/_error?a=%zz',
  ),
  fc.webSegment().map((id) => `/_connector/_sync_job/${id}/_error`),
);
