import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bodies, mediaTypes, paths } from './arbitraries.ts';
import { fakeQueue, injectedDoor, openTestDoor } from './setup.ts';

const methods = fc.constantFrom(
  'POST',
  'PUT',
  'GET',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'HEAD',
  'TRACE',
  'PROPFIND',
);
const anyPath = fc.oneof(
  paths,
  fc.constantFrom(
    '/v1/reports',
    '/v1/reports/',
    '/v1/reports/x',
    '/v1/dead-letters?limit=0',
    '/v1/dead-letters?x=1',
  ),
  fc.constantFrom(
    '/v1/dead-letters?code=nope',
    '/v1/dead-letters/%ff',
    '/v1//reports',
    '/%',
    '//',
    '/_',
    '/__proto__',
  ),
  fc.webPath().map((path) => `/${path}`),
);
const anyHeader = fc.constantFrom(
  {},
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'br' },
  { 'idempotency-key': 'x'.repeat(300) },
  { authorization: 'ApiKey !!!' },
  { 'x-request-id': 'a b' },
  { 'transfer-encoding': 'chunked' },
);

/** What a malformed request may be answered with: refused, or, where it happens to be well-formed, taken. */
function isFair(status: number, method: string): boolean {
  if (status >= 400 && status < 500) return true;
  return status === 202 || ((status === 200 || status === 204) && !['POST', 'PUT'].includes(method));
}

test('10,000 malformed requests are refused, and the door stays open', async () => {
  const queue = fakeQueue();
  const door = await injectedDoor(queue, { HTTP_REQUESTS_PER_SECOND: '1000000' });
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(
      methods,
      anyPath,
      bodies,
      mediaTypes,
      mediaTypes,
      anyHeader,
      async (method, url, payload, type, accept, more) => {
        const headers = {
          ...more,
          ...(type === undefined ? {} : { 'content-type': type }),
          ...(accept === undefined ? {} : { accept }),
        };
        const answer = await door.inject({ method: method as 'POST', url, payload, headers });
        seen.set(answer.statusCode, (seen.get(answer.statusCode) ?? 0) + 1);
        expect(
          isFair(answer.statusCode, method),
          `${method} ${url} ${answer.statusCode} ${answer.body}`,
        ).toBe(true);
        if (answer.statusCode >= 400 && method !== 'HEAD' && answer.statusCode !== 413) {
          expect(answer.headers['content-type']).toMatch(/json/);
          expect(() => JSON.parse(answer.body) as unknown).not.toThrow();
        }
        // Whatever was taken is a report, and its path leads to nothing but its own sync job.
        for (const report of queue.accepted.splice(0)) {
          expect(report).toMatchObject({ kind: 'valid' });
          if (report.kind === 'valid')
            expect(['', '.', '..']).not.toContain(report.report.connector_sync_job_id);
        }
      },
    ),
    { numRuns: 10_000 },
  );
  expect([...seen.keys()]).toEqual(expect.arrayContaining([400, 404, 405, 406, 415]));
  expect((await door.inject('/livez')).statusCode).toBe(200);
}, 120_000);

test('bytes that are no HTTP are refused, and the door stays open', async () => {
  const { url } = await openTestDoor();
  const { port } = new URL(url);
  const say = (bytes: Uint8Array): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.end(bytes));
      socket.on('data', (piece) => {
        text += piece.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
  const lines = fc.constantFrom(
    'GARBAGE\r\n\r\n',
    'PUT / HTTP/1.1\r\nHost\r\n\r\n',
    'POST /v1/reports HTTP/1.1\r\nContent-Length: -1\r\n\r\n',
    'POST /v1/reports HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`,
    'GET /\u0000 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  );
  const garbage = fc.oneof(
    lines.map((text) => Buffer.from(text, 'latin1')),
    fc.uint8Array({ minLength: 1, maxLength: 100 }),
  );
  await fc.assert(
    fc.asyncProperty(garbage, async (bytes) => {
      expect(await say(bytes)).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
    }),
    { numRuns: 300 },
  );
  expect((await fetch(`${url}/livez`)).status).toBe(200);
}, 60_000);
