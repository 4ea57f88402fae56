import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ErrorReport } from '../../src/domain/error-report.ts';
import {
  type AttemptRecord,
  type JobHistory,
  NO_HISTORY,
  reportJobId,
  withAttempt,
} from '../../src/domain/job.ts';
import { anyText } from './arbitraries.ts';

const report: ErrorReport = { connector_sync_job_id: 'a-sync-job', error: 'TimeoutError' };

describe('the id of a job', () => {
  test.each([
    [{ connector_sync_job_id: 'a-sync-job', error: 'TimeoutError' }, 'r-A_-e9DSb3hbNlMfA1ZmjLjnv'],
    [
      { connector_sync_job_id: 'a-sync-job', error: 'TimeoutError', idempotency_key: 'run-42' },
      'r-f2Zb45tbZ5qWCYdSDIm4UGwY',
    ],
    [{ connector_sync_job_id: '__proto__', error: '同期 😀\n\u0000' }, 'r-_mQCbh0xywNImiEZSKMnMd6k'],
    [{ connector_sync_job_id: 'a', error: '\ud800' }, 'r-7_C4yeOr5r6TVMa3YhQhbig9'],
  ])('never changes from one version to the next: %j', (pinned, id) => {
    expect(reportJobId(pinned)).toBe(id);
  });

  const text = anyText({ minLength: 1, maxLength: 30 });
  const reports: fc.Arbitrary<ErrorReport> = fc.record(
    { connector_sync_job_id: text, error: text, idempotency_key: text },
    { requiredKeys: ['connector_sync_job_id', 'error'] },
  );

  test('is made of letters that Redis keys, URLs and file names can carry', () => {
    fc.assert(
      fc.property(reports, (any) => {
        expect(reportJobId(any)).toMatch(/^r-[A-Za-z0-9_-]{24}$/);
      }),
    );
  });

  test('is the same for the same report, whatever else the report says', () => {
    fc.assert(
      fc.property(reports, fc.string({ minLength: 1 }), (any, other) => {
        const said = { ...any, source: other, connector_id: other, reported_at: '2026-11-23T09:30:00Z' };
        expect(reportJobId(said)).toBe(reportJobId(structuredClone(any)));
      }),
    );
  });

  test('differs when the sync job or the text differs, without confusing where one ends', () => {
    fc.assert(
      fc.property(text, text, text, text, (id, error, otherId, otherError) => {
        fc.pre(id !== otherId || error !== otherError);
        expect(reportJobId({ connector_sync_job_id: id, error })).not.toBe(
          reportJobId({ connector_sync_job_id: otherId, error: otherError }),
        );
      }),
    );
    expect(reportJobId({ connector_sync_job_id: 'ab', error: 'c' })).not.toBe(
      reportJobId({ connector_sync_job_id: 'a', error: 'bc' }),
    );
    expect(reportJobId({ connector_sync_job_id: 'a","b', error: 'c' })).not.toBe(
      reportJobId({ connector_sync_job_id: 'a', error: 'b","c' }),
    );
  });

  test('tells lone surrogates from each other and from the U+FFFD that is sent for them', () => {
    const ids = ['\ud800', '\udc00', '\ufffd'].map((error) => reportJobId({ ...report, error }));
    expect(new Set(ids).size).toBe(3);
  });

  test('stays the same for another text under the same idempotency key', () => {
    const keyed = { ...report, idempotency_key: 'run-42' };
    expect(reportJobId({ ...keyed, error: 'another text' })).toBe(reportJobId(keyed));
  });

  test('differs under another idempotency key, although the text is the same', () => {
    expect(reportJobId({ ...report, idempotency_key: 'run-42' })).not.toBe(
      reportJobId({ ...report, idempotency_key: 'run-43' }),
    );
  });

  test('keeps the scope of an idempotency key to its sync job', () => {
    const idempotency_key = 'run-42';
    expect(reportJobId({ ...report, idempotency_key })).not.toBe(
      reportJobId({ ...report, connector_sync_job_id: 'another', idempotency_key }),
    );
  });

  test('never takes an idempotency key for a text', () => {
    expect(reportJobId({ ...report, idempotency_key: 'TimeoutError' })).not.toBe(reportJobId(report));
  });

  test('takes an absent idempotency key and an undefined one for the same', () => {
    expect(reportJobId({ ...report, idempotency_key: undefined })).toBe(reportJobId(report));
  });
});

describe('the history of a job', () => {
  const attemptOf = (attempt: number, more: Partial<AttemptRecord> = {}): AttemptRecord => ({
    attempt,
    at: '2026-11-23T09:30:00.000Z',
    code: 'server_error',
    duration_ms: 12,
    worker: 'worker-1',
    ...more,
  });
  const historyOf = (records: readonly AttemptRecord[]): JobHistory =>
    records.reduce(withAttempt, NO_HISTORY);

  test('lists attempts in their order', () => {
    const records = [attemptOf(1), attemptOf(2, { code: 'conflict' }), attemptOf(3)];
    expect(historyOf(records)).toEqual({ attempts: records });
    expect(NO_HISTORY).toEqual({ attempts: [] });
  });

  test('keeps of a long outage its last record only', () => {
    const first = attemptOf(1, { code: 'unreachable', at: '2026-11-23T09:30:00.000Z' });
    const last = attemptOf(1, { code: 'unreachable', at: '2026-11-23T19:30:00.000Z' });
    expect(historyOf([first, first, last]).attempts).toEqual([last]);
  });

  test('keeps two records of one attempt that met different codes', () => {
    const records = [attemptOf(1, { code: 'unreachable' }), attemptOf(1, { code: 'tls' })];
    expect(historyOf(records).attempts).toEqual(records);
  });

  test('keeps two records of one code on different attempts', () => {
    expect(historyOf([attemptOf(1), attemptOf(2)]).attempts).toHaveLength(2);
  });

  test('keeps the first record and the last 49 of more', () => {
    const records = Array.from({ length: 60 }, (_, n) => attemptOf(n + 1));
    expect(historyOf(records.slice(0, 50)).attempts).toEqual(records.slice(0, 50));
    expect(historyOf(records).attempts.map(({ attempt }) => attempt)).toEqual([
      1,
      ...Array.from({ length: 49 }, (_, n) => n + 12),
    ]);
  });

  test('remembers since when its sync job has not run', () => {
    expect(withAttempt({ attempts: [], not_running_since_ms: 7 }, attemptOf(1)).not_running_since_ms).toBe(7);
  });

  test('never changes the history it is given', () => {
    const history = Object.freeze({ attempts: Object.freeze([attemptOf(1)]) });
    expect(withAttempt(history, attemptOf(1)).attempts).toHaveLength(1);
    expect(withAttempt(history, attemptOf(2)).attempts).toHaveLength(2);
    expect(history.attempts).toHaveLength(1);
  });
});
