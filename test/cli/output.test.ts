import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cut,
  displayWidth,
  escapeControl,
  formatBytes,
  formatCount,
  formatDuration,
  renderTable,
  toSafeJson,
} from '../../src/cli/output.ts';
import { createProgress, renderBar } from '../../src/cli/progress.ts';
import { suggest } from '../../src/cli/suggest.ts';

const ACTING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

describe('text that would act on a terminal', () => {
  test('is spelt out', () => {
    expect(escapeControl('\x1b[31m\n\t\r\x07\x9b\x7f')).toBe('\\x1b[31m\\n\\t\\r\\x07\\x9b\\x7f');
    expect(escapeControl('a\u202eb\u2028c\ud800d\u{e0001}')).toBe(
      'a\\u{202e}b\\u{2028}c\\u{d800}d\\u{e0001}',
    );
    expect(escapeControl('日本語 é 😀')).toBe('日本語 é 😀');
  });

  test('never comes through, neither in a table nor in JSON, and JSON keeps its value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const [, row] = renderTable([{ header: 'X', minWidth: 3 }], [[text]], 20);
        expect(row).not.toMatch(ACTING);
        expect(toSafeJson({ text })).not.toMatch(ACTING);
        expect(JSON.parse(toSafeJson({ [text]: text }))).toEqual({ [text]: text });
      }),
    );
  });
});

describe('a table', () => {
  const columns = [
    { header: 'ID' },
    { header: 'ERROR', minWidth: 5 },
    { header: 'N', align: 'right' as const },
  ];

  test('lines its columns up, and cuts only those that may be cut', () => {
    const rows = [
      ['a', '日本語 connection refused', '1'],
      ['an-id-that-stays', 'no', '1,000'],
    ];
    expect(renderTable(columns, rows, 40)).toEqual([
      'ID                ERROR                N',
      'a                 日本語 connect…      1',
      'an-id-that-stays  no               1,000',
    ]);
  });

  test('fits its width as far as its columns allow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme' })),
        fc.integer({ min: 30, max: 90 }),
        (cells, width) => {
          const rows = cells.map((cell) => ['0123456789', cell, '7']);
          for (const line of renderTable(columns, rows, width)) {
            expect(displayWidth(line)).toBeLessThanOrEqual(width);
          }
        },
      ),
    );
  });
});

test('a text is cut to the columns of a terminal, never within a character', () => {
  expect(cut('abc', 3)).toBe('abc');
  expect(cut('abcd', 3)).toBe('ab…');
  expect(cut('日本語', 5)).toBe('日本…');
  expect(cut('😀😀', 3)).toBe('😀…');
});

test('numbers are told as people say them', () => {
  expect([0.4, 999.6, 1_234, 59_970, 185_000, 7_800_000, 273_600_000].map(formatDuration)).toEqual([
    '0 ms',
    '1.0 s',
    '1.2 s',
    '1 min',
    '3 min 5 s',
    '2 h 10 min',
    '3 d 4 h',
  ]);
  expect([0, 1_023, 1_536, 3_221_225_472].map(formatBytes)).toEqual([
    '0 bytes',
    '1,023 bytes',
    '1.5 KiB',
    '3.0 GiB',
  ]);
  expect([formatCount(1, 'line'), formatCount(2_000, 'line')]).toEqual(['1 line', '2,000 lines']);
});

test('a word is taken for the nearest one, and a strange one for none', () => {
  const words = ['sync_job_not_found', 'superseded', 'poison'];
  expect(
    ['sync_job_notfound', 'SUPERSEDED', 'poisen', 'zzz', '', 'x'.repeat(100_000)].map((word) =>
      suggest(word, words),
    ),
  ).toEqual(['sync_job_not_found', 'superseded', 'poison', undefined, undefined, undefined]);
});

describe('a progress bar', () => {
  function terminal(isTTY: boolean): { readonly stream: PassThrough & { isTTY: boolean }; shown(): string } {
    const stream = Object.assign(new PassThrough(), { isTTY });
    let shown = '';
    stream.on('data', (piece: Buffer) => {
      shown += piece.toString();
    });
    return { stream, shown: () => shown };
  }

  test('shows how far it is, how fast, and how long it will be', () => {
    const state = { label: 'Enqueuing', done: 500, total: 2_000, unit: 'reports', elapsedMs: 500 };
    expect(renderBar(state)).toBe(
      'Enqueuing ━━━━━━────────────────── 25 %  500/2,000 reports  1,000/s  1.5 s left',
    );
  });

  test('shows a count where nobody knows the total', () => {
    const state = {
      label: 'Reading',
      done: 2_097_152,
      total: undefined,
      unit: 'bytes',
      elapsedMs: 2_000,
      note: '7 reports',
    };
    expect(renderBar(state)).toBe('Reading  2.0 MiB  7 reports  1.0 MiB/s  2.0 s');
  });

  test('appears on a terminal and goes, and lines come out whole', () => {
    const { stream, shown } = terminal(true);
    const progress = createProgress('Enqueuing', 10, 'reports', stream);
    progress.update(5);
    progress.say('line 3: wrong');
    progress.stop();
    progress.stop();
    expect(shown()).toContain('Enqueuing');
    expect(shown()).toContain('\r\x1b[Kline 3: wrong\n');
    expect(shown().endsWith('\x1b[2K')).toBe(true);
  });

  test('is not there where no terminal is, but the lines are', () => {
    const { stream, shown } = terminal(false);
    const progress = createProgress('Enqueuing', 10, 'reports', stream);
    progress.update(5);
    progress.say('line 3: wrong');
    progress.stop();
    expect(shown()).toBe('line 3: wrong\n');
  });
});
