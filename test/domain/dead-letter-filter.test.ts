import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeadLetter } from '../../src/domain/dead-letter.ts';
import { matchesFilter, tagsOf, tagsOfFilter } from '../../src/domain/dead-letter-filter.ts';
import { abridge, isLineage, MAX_EARLIER_ATTEMPTS } from '../../src/domain/lineage.ts';
import { letterOf } from '../support/dead-letters.ts';

/** Anything at all, lone surrogates and control characters included. */
const anyName = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });

describe('the tags of a letter', () => {
  test('hold nothing that could be part of another key or break a line, whatever the report holds', () => {
    fc.assert(
      fc.property(anyName, anyName, anyName, (connector_id, source, connector_sync_job_id) => {
        const letter = letterOf(0, { report: { connector_sync_job_id, error: 'x', connector_id, source } });
        for (const tag of tagsOf(letter)) expect(tag).toMatch(/^[a-z-]+:[\w-]+$/);
      }),
    );
  });

  test('hold those of every filter that means it', () => {
    fc.assert(
      fc.property(anyName, anyName, anyName, (connectorId, source, syncJobId) => {
        const report = { connector_sync_job_id: syncJobId, error: 'x', connector_id: connectorId, source };
        const letter = letterOf(0, { report, found: { status: 'completed' } });
        const filter = { connectorId, source, syncJobId, status: 'completed', code: letter.code };
        expect(tagsOf(letter)).toEqual(expect.arrayContaining([...tagsOfFilter(filter)]));
        expect(matchesFilter(letter, filter)).toBe(true);
        expect(matchesFilter(letter, { ...filter, syncJobId: `${syncJobId}x` })).toBe(false);
      }),
    );
  });

  test('tell of a letter that is back whether its code is the same', () => {
    const life = (code: DeadLetter['code']) => ({
      at: '2026-10-02T11:00:00.000Z',
      by: 'ada',
      run: 'run-1',
      code,
      enqueued_at: '2026-10-01T10:00:00.000Z',
      dead_at: '2026-10-01T11:00:00.000Z',
      attempts_made: 1,
      attempts: [],
    });
    expect(tagsOf(letterOf(0, { redrives: [life('sync_job_not_found')] }))).toEqual(
      expect.arrayContaining(['again:run-1', 'same:run-1']),
    );
    expect(tagsOf(letterOf(0, { redrives: [life('rejected')] }))).not.toContain('same:run-1');
  });
});

describe('a lineage', () => {
  test.each<[unknown, boolean]>([
    [{}, true],
    [{ redrives: [], edits: [], original: { report: null } }, true],
    [{ redrives: 5 }, false],
    [{ redrives: [null] }, false],
    [{ redrives: [{ at: 'x', by: 'y', run: 'a:b', code: 'rejected', attempts: [] }] }, false],
    [{ redrives: [{ at: 'x', by: 'y', run: 'run-1', code: 'rejected', attempts: [] }] }, true],
    [{ edits: [{}] }, false],
    [{ original: 'text' }, false],
  ])('%j is one: %s', (value, expected) => {
    expect(isLineage(value as Readonly<Record<string, unknown>>)).toBe(expected);
  });

  test('keeps the first attempt of a life and the last ones', () => {
    const [attempt] = letterOf(0).attempts;
    if (attempt === undefined) throw new Error('no attempt');
    const attempts = Array.from({ length: 30 }, (_, n) => ({ ...attempt, attempt: n + 1 }));

    expect(abridge(attempts.slice(0, MAX_EARLIER_ATTEMPTS))).toHaveLength(MAX_EARLIER_ATTEMPTS);
    expect(abridge(attempts).map(({ attempt: number }) => number)).toEqual([
      1, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    ]);
  });
});
