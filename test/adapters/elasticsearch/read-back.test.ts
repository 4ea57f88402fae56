import { describe, expect, test } from 'vitest';
import type { ReadBack } from '../../../src/domain/answer.ts';
import { SYNC_JOB_STATUSES } from '../../../src/domain/answer.ts';
import { connect, envelope, httpServer, never, PRODUCT } from './support.ts';

async function readBack(status: number, headers: Record<string, string>, body: string): Promise<ReadBack> {
  const { url } = await httpServer(
    (_request, response) => void response.writeHead(status, headers).end(body),
  );
  return connect(url).readSyncJob('job-1', never);
}

describe('a sync job', () => {
  test.each(SYNC_JOB_STATUSES)('is found as %s', async (status) => {
    const job = { id: 'job-1', connector: { id: 'c', configuration: {} }, status };
    expect(await readBack(200, PRODUCT, JSON.stringify(job))).toEqual({ kind: 'found', status });
  });

  test('is found with its error, as it is stored', async () => {
    const error = `  ${'é'.repeat(16_000)}\n`;
    const job = { id: 'job-1', status: 'error', error };
    expect(await readBack(200, PRODUCT, JSON.stringify(job))).toEqual({
      kind: 'found',
      status: 'error',
      error,
      shownError: error,
    });
  });

  test('is found with an error that holds our credentials, which are gone from what is shown of it', async () => {
    const apiKey = btoa('key-id:key-secret-part');
    const { url } = await httpServer((request, response) => {
      const error = `the proxy saw ${request.headers.authorization}, that is key-secret-part; ${'x'.repeat(5_000)}`;
      response.writeHead(200, PRODUCT).end(JSON.stringify({ id: 'job-1', status: 'error', error }));
    });
    const auth = { kind: 'api-key', apiKey } as const;
    const found = await connect(url, { auth }).readSyncJob('job-1', never);
    const rest = `; ${'x'.repeat(5_000)}`;
    expect(found).toEqual({
      kind: 'found',
      status: 'error',
      error: `the proxy saw ApiKey ${apiKey}, that is key-secret-part${rest}`,
      shownError: `the proxy saw ApiKey [redacted], that is [redacted]${rest}`,
    });
  });

  test('whose error was never set has none', async () => {
    const job = { id: 'job-1', status: 'completed', error: null };
    expect(await readBack(200, PRODUCT, JSON.stringify(job))).toEqual({ kind: 'found', status: 'completed' });
  });

  test.each(['job-1', 'connector sync job [job-1] not found'])(
    'is missing where Elasticsearch says %j',
    async (reason) => {
      const body = envelope(404, 'resource_not_found_exception', reason);
      expect(await readBack(404, PRODUCT, body)).toEqual({
        kind: 'missing',
        answer: {
          kind: 'response',
          status: 404,
          fromElasticsearch: true,
          body: { kind: 'error', type: 'resource_not_found_exception', reason },
        },
      });
    },
  );

  const NOT_FOUND = envelope(404, 'resource_not_found_exception', 'job-1');
  const FOUND = '{"id":"job-1","status":"error","error":"x"}';
  test.each([
    ['a proxy says that it is missing', 404, {}, NOT_FOUND],
    ['another 404 is said', 404, PRODUCT, envelope(404, 'index_not_found_exception', 'no such index')],
    ['the 404 is cut', 404, PRODUCT, NOT_FOUND.slice(0, -4)],
    ['another status carries the envelope', 400, PRODUCT, NOT_FOUND],
    ['a proxy says that it is there', 200, {}, FOUND],
    ['the status is not known', 200, PRODUCT, '{"id":"job-1","status":"sleeping"}'],
    ['there is no status', 200, PRODUCT, '{"id":"job-1"}'],
    ['the status is inherited', 200, PRODUCT, '{"id":"job-1","__proto__":{"status":"error"}}'],
    ['the status is no text', 200, PRODUCT, '{"id":"job-1","status":["error"]}'],
    ['the error is no text', 200, PRODUCT, '{"id":"job-1","status":"error","error":{}}'],
    ['it is another sync job', 200, PRODUCT, '{"id":"job-2","status":"error","error":"x"}'],
    ['it comes in a list', 200, PRODUCT, `[${FOUND}]`],
    ['it is cut', 200, PRODUCT, FOUND.slice(0, -1)],
    ['it is a page', 200, PRODUCT, '<html>'],
    ['it is empty', 200, PRODUCT, ''],
    ['the success is another one', 202, PRODUCT, FOUND],
    ['there is no content', 204, PRODUCT, ''],
    ['a redirect is offered', 302, { location: '/elsewhere' }, ''],
    ['the server failed', 500, PRODUCT, envelope(500, 'exception', 'x')],
  ])('is unknown where %s', async (_name, status, headers, body) => {
    expect(await readBack(status, headers, body)).toMatchObject({
      kind: 'unknown',
      answer: { kind: 'response', status },
    });
  });
});
