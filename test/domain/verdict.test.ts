import { expect, test } from 'vitest';
import { judgeAnswer } from '../../src/domain/verdict.ts';

test('holds a 409 that is not from Elasticsearch against the way there, not against the report', () => {
  const body = { kind: 'error', type: 'version_conflict_engine_exception', reason: 'x' } as const;
  const misrouted = { kind: 'outage', code: 'misrouted', circuit: 'failure' };
  expect(judgeAnswer({ kind: 'response', status: 409, fromElasticsearch: false, body })).toEqual(misrouted);
  const html = { kind: 'unreadable', reason: '<html>' } as const;
  expect(judgeAnswer({ kind: 'response', status: 409, fromElasticsearch: true, body: html })).toEqual(
    misrouted,
  );
});

test('waits for an index that is closed, although Elasticsearch answers with the status of a bad request', () => {
  const body = { kind: 'error', type: 'index_closed_exception', reason: 'closed' } as const;
  expect(judgeAnswer({ kind: 'response', status: 400, fromElasticsearch: true, body })).toEqual({
    kind: 'outage',
    code: 'cluster_block',
    circuit: 'failure',
  });
});
