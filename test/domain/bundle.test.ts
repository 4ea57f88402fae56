import { describe, expect, test } from 'vitest';
import { type Bundled, readBundle, writeBundle } from '../../src/domain/bundle.ts';

const ID = 'b-1';
const idOf = (n: number): string => `r-${String(n).padStart(24, '0')}`;
const AT = 1_790_000_000_000;

const REPORTS: readonly Bundled[] = [
  { id: idOf(1), enqueuedAtMs: AT, report: { connector_sync_job_id: 'job', error: 'a' } },
  { id: idOf(2), enqueuedAtMs: AT + 7, report: null, trace: '{"traceparent":"00"}' },
  { id: idOf(3), enqueuedAtMs: AT - 2_000, report: [] },
  { id: idOf(4), enqueuedAtMs: AT, report: { connector_sync_job_id: 'job', error: 'a', source: 'host' } },
  { id: idOf(5), enqueuedAtMs: AT, report: { connector_sync_job_id: 'job', error: 1 } },
  { id: idOf(6), enqueuedAtMs: AT, report: { connector_sync_job_id: 'job', text: 'a' } },
  { id: idOf(7), enqueuedAtMs: AT, report: { error: 'the other way round', connector_sync_job_id: 'job' } },
];

const asStored = (payload: unknown): unknown => JSON.parse(JSON.stringify(payload));

describe('a bundle', () => {
  test('is read as it was written', () => {
    expect(readBundle(ID, asStored(writeBundle(REPORTS)))).toEqual(REPORTS);
  });

  test('without a time of its own counts those of its reports from 1970', () => {
    expect(readBundle(ID, { reports: [[idOf(1), AT, 'x']] })).toEqual([
      { id: idOf(1), enqueuedAtMs: AT, report: 'x' },
    ]);
  });

  test('names no field of a report that has only the two it must have', () => {
    expect(JSON.stringify(writeBundle(REPORTS.slice(0, 1)))).not.toContain('connector_sync_job_id');
  });

  test('says in a digit or two when each of its reports was accepted', () => {
    const [, second] = writeBundle(REPORTS).reports;
    expect(second?.[1]).toBe(7);
  });
});

test.each([
  ['nothing', null],
  ['no list', { reports: {} }],
  ['an empty list', { reports: [] }],
  ['a time that is none', { from: 'now', reports: [[idOf(1), 0, 'x']] }],
  ['a time beyond all', { from: 8.64e15, reports: [[idOf(1), 1, 'x']] }],
  ['half a millisecond', { from: AT, reports: [[idOf(1), 0.5, 'x']] }],
  ['an id of another form', { from: AT, reports: [['meta', 0, 'x']] }],
  ['a trace that is no text', { from: AT, reports: [[idOf(1), 0, 'x', 7]] }],
])('%s is no bundle', (_, payload) => {
  expect(readBundle(ID, payload)).toBeUndefined();
});

test('what has the id of one of its reports is no bundle', () => {
  expect(readBundle(idOf(1), asStored(writeBundle(REPORTS)))).toBeUndefined();
});
