/** Payloads of any kind, each with what it has to come to; made from chance alone. */
import { Buffer } from 'node:buffer';
import { below, type Random } from '../seeded.ts';

/** A payload as some producer might write it. */
export interface MadePayload {
  readonly bytes: Buffer;
  /** What it says, where it is a report after all; absent: it is none. */
  readonly report?: { readonly syncJobId: string; readonly error: string };
}

type Maker = (n: number, random: Random) => string | Buffer;

const pick = <T>(from: readonly T[], random: Random): T => from[below(random, from.length)] as T;

const VALUES: readonly string[] = [
  ...['null', 'true', '0', '-1.5e300', '[]', '{}', '[null]', '{"connector_sync_job_id":"x"}', '""'],
];
const FIELDS = ['connector_sync_job_id', 'error', 'connector_id', 'source', 'reported_at', 'idempotency_key'];
const FOREIGN_KEYS: readonly string[] = [
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '__defineGetter__',
    'eror',
    '',
    ' ',
  ],
];
/** As they stand between the quotes of JSON. */
const IMPOSSIBLE_IDS: readonly string[] = [
  ...['.', '..', '', '\\ud800', 'a\\udfff', '\\udc00\\ud800', '\\u002e', '\\u002e\\u002e', 'x'.repeat(513)],
  ...['é'.repeat(257), '🔒'.repeat(129)],
];

const fieldsOf = (n: number): Record<string, string> => ({
  connector_sync_job_id: `"none-${n}"`,
  error: `"Error of none-${n}"`,
});

const objectOf = (fields: Readonly<Record<string, string>>): string =>
  `{${Object.entries(fields)
    .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
    .join(',')}}`;

/** What is no report, kind by kind. */
const NO_REPORTS: readonly Maker[] = [
  (n, random) =>
    pick(['', ' ', '\0', 'nonsense', 'undefined', 'NaN', '{', '[', '"', "{'a':1}", '{"a":}', 'nul'], random) +
    pick(['', '\n', '\0', `#${n}`], random),
  (n, random) => {
    const whole = objectOf(fieldsOf(n));
    return whole.slice(0, 1 + below(random, whole.length - 1));
  },
  (n) => `${objectOf(fieldsOf(n))}${objectOf(fieldsOf(n))}`,
  (n) =>
    Buffer.concat([
      Buffer.from('{"connector_sync_job_id":"none'),
      Buffer.from([0, 10, 13, n % 32]),
      Buffer.from('"}'),
    ]),
  (_n, random) => Buffer.from(Array.from({ length: 1 + below(random, 200) }, () => 128 + below(random, 128))),
  (_n, random) => pick(['null', 'true', 'false', '0', '1e400', '"a report"', '[]', '{}'], random),
  // By HTTP an array of reports is many of them.
  (n) => `[[${objectOf(fieldsOf(n))}]]`,
  (_n, random) => {
    const depth = 1 + below(random, 20_000);
    return '['.repeat(depth) + ']'.repeat(depth);
  },
  (_n, random) => {
    const depth = 1 + below(random, 5_000);
    return `${'{"error":'.repeat(depth)}1${'}'.repeat(depth)}`;
  },
  (n, random) => objectOf({ ...fieldsOf(n), [pick(FIELDS, random)]: pick(VALUES, random) }),
  (n, random) => {
    const { [pick(['connector_sync_job_id', 'error'], random)]: _left, ...rest } = fieldsOf(n);
    return objectOf(rest);
  },
  (n, random) => {
    const fields = Object.entries({ ...fieldsOf(n) }).map(([name, value]) => `"${name}":${value}`);
    return `{${[...fields, `${JSON.stringify(pick(FOREIGN_KEYS, random))}:${pick(VALUES, random)}`].join(',')}}`;
  },
  (n, random) => objectOf({ ...fieldsOf(n), connector_sync_job_id: `"${pick(IMPOSSIBLE_IDS, random)}"` }),
  (n, random) =>
    objectOf({
      ...fieldsOf(n),
      reported_at: pick(['"yesterday"', '"2026-13-01T00:00:00Z"', '1764000000'], random),
    }),
];

/** What stands for a path, a header, a query or nothing at all, and is yet an id like any other. */
const HOSTILE_STARTS: readonly string[] = [
  ...[
    '../',
    '..\\',
    '/',
    '//',
    './',
    '%2F',
    '%2e%2e%2f',
    '..%2F..%2F_bulk',
    '_bulk/',
    '*',
    '?pretty=',
    '#',
    '&a=',
    ';',
  ],
  ...[
    'a\r\nX-Evil: 1\r\n\r\n',
    'a\nb',
    'a\0b',
    '\0',
    '\u001b[2J',
    '\u2028',
    '\ufeff',
    ' ',
    '\t',
    'é',
    '🔒',
    '語',
  ],
  ...[
    '_error/',
    '_cancel?',
    'http://evil.test/',
    '@evil.test/',
    '{"a":1}',
    '$(id)',
    '%00',
    '%',
    '+',
    '~',
    "'",
    '"',
  ],
];
const HOSTILE_TEXTS: readonly string[] = [
  '\0',
  '\r\nHTTP/1.1 200 OK\r\n\r\n',
  '{"error":',
  '🔒',
  '\u2029',
  '%s%n',
  '\ud800',
];

/** A payload that is one of many kinds of no report, or a hostile one that is a report all the same. */
export function makePayload(name: string, n: number, random: Random): MadePayload {
  if (random() < 0.25) {
    const report = {
      syncJobId: `${pick(HOSTILE_STARTS, random)}${name}-${n}`,
      error: `${pick(HOSTILE_TEXTS, random)}Error of ${name}-${n}`,
    };
    const { syncJobId: connector_sync_job_id, error } = report;
    return { bytes: Buffer.from(JSON.stringify({ connector_sync_job_id, error })), report };
  }
  const made = pick(NO_REPORTS, random)(n, random);
  return { bytes: Buffer.from(made) };
}

/** Path segments as no client ought to write them. */
export const HOSTILE_SEGMENTS: readonly string[] = [
  ...[
    '.',
    '..',
    '%2e',
    '%2e%2e',
    '%2E.',
    '../..',
    '..%2f..',
    '%2F',
    '%2f%2e%2e%2f',
    '%00',
    'a%00b',
    '%0d%0aX-Evil:1',
  ],
  ...[
    '%ed%a0%80',
    '%c0%ae',
    '%ff',
    '%',
    '%z',
    '%zz',
    '%2',
    '%u002e',
    '',
    ' ',
    'a b',
    'a\tb',
    'a\0b',
    'é',
    '\u0080',
  ],
  ...[
    '*',
    '?',
    '#',
    ';',
    '..;',
    '//',
    '\\',
    '%5c..%5c',
    '%252e%252e',
    '%252F',
    '_bulk',
    '%F0%9F%94%92',
    'x'.repeat(600),
  ],
];
