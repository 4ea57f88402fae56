import { request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type StandIn, startStandIn } from '../../src/stand-in/index.ts';
import { bodies, mediaTypes, paths } from './arbitraries.ts';
import { openTestDoor } from './setup.ts';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

interface Got {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Without a client that knows better: what is sent is sent as it is. */
function send(url: string, { method, path, body, headers }: Sent): Promise<Got> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function setup() {
  const standIn: StandIn = await startStandIn({
    syncJobs: [{ id: 'there', connector_id: 'c', status: 'completed' }],
  });
  onTestFinished(() => standIn.stop());
  return { standIn, url: (await openTestDoor()).url };
}

const JSON_HEADERS = { 'content-type': 'application/json' };
const PATH = '/_connector/_sync_job/job/_error';

describe('PUT _error at the front door', () => {
  test('accepts with 202 what Elasticsearch would look for a sync job for', async () => {
    const { url } = await setup();
    const sent = {
      method: 'PUT',
      path: PATH,
      body: Buffer.from('{"error":"some-error"}'),
      headers: JSON_HEADERS,
    };

    const first = await send(url, { ...sent, headers: { ...JSON_HEADERS, 'x-opaque-id': 'mine' } });
    const again = await send(url, sent);

    const { id } = JSON.parse(first.text) as { id: string };
    expect(first.status).toBe(202);
    expect(JSON.parse(first.text)).toEqual({
      result: 'accepted',
      id: expect.stringMatching(/^r-[\w-]{24}$/),
    });
    expect(first.headers).toMatchObject({
      'x-elastic-product': 'Elasticsearch',
      'content-type': 'application/json',
      location: `/v1/reports/${id}`,
      'x-opaque-id': 'mine',
    });
    expect(JSON.parse(again.text)).toEqual({ result: 'accepted', id, duplicate: true });
    expect(await (await fetch(`${url}/v1/reports/${id}`)).json()).toMatchObject({ id, status: 'queued' });
  });

  test('answers whatever is sent as the stand-in does, status, headers and body', async () => {
    const { url, standIn } = await setup();
    const methods = fc.constantFrom('PUT', 'PUT', 'PUT', 'PUT', 'POST', 'GET', 'DELETE', 'OPTIONS', 'PATCH');

    await fc.assert(
      fc.asyncProperty(
        methods,
        paths,
        bodies,
        mediaTypes,
        mediaTypes,
        async (method, path, body, type, accept) => {
          const headers = {
            'content-length': String(body.length),
            ...(type === undefined ? {} : { 'content-type': type }),
            ...(accept === undefined ? {} : { accept }),
          };
          const sent = { method, path, body, headers };
          const [ours, theirs] = await Promise.all([send(url, sent), send(standIn.url, sent)]);
          // Nobody knows yet whether the sync job exists: that is the one thing that is answered otherwise.
          if (theirs.status === 404) {
            expect(ours.status, theirs.text).toBe(202);
          } else {
            expect(ours.text).toBe(theirs.text);
            expect(ours.status).toBe(theirs.status);
          }
          for (const name of ['content-type', 'x-elastic-product', 'allow']) {
            expect(ours.headers[name], name).toBe(theirs.headers[name]);
          }
        },
      ),
      { numRuns: 1_500 },
    );
  }, 120_000);

  test.each([
    ['an id that is a step of a path', '/_connector/_sync_job/%2e%2e/_error', '{"error":"x"}'],
    [
      'an id beyond what Elasticsearch keeps',
      `/_connector/_sync_job/${'a'.repeat(513)}/_error`,
      '{"error":"x"}',
    ],
    ['an error beyond the limit', PATH, JSON.stringify({ error: 'x'.repeat(1_048_577) })],
  ])('refuses %s in the same form', async (_name, path, body) => {
    const { url } = await setup();
    const { status, text, headers } = await send(url, {
      method: 'PUT',
      path,
      body: Buffer.from(body),
      headers: JSON_HEADERS,
    });
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ error: { type: 'illegal_argument_exception' }, status: 400 });
    expect(headers['x-elastic-product']).toBe('Elasticsearch');
  });

  test('takes an id whose escapes are no UTF-8, from this machine only', async () => {
    const { url } = await setup();
    const call = {
      method: 'PUT',
      path: '/_connector/_sync_job/%ff/_error',
      body: Buffer.from('{"error":"x"}'),
    };
    expect((await send(url, { ...call, headers: JSON_HEADERS })).status).toBe(202);
    expect((await send(url, { ...call, headers: { ...JSON_HEADERS, host: 'evil.example' } })).status).toBe(
      400,
    );
  });

  test('takes packed bodies, and refuses what is not packed as it says', async () => {
    const { url } = await setup();
    const { gzipSync, deflateSync } = await import('node:zlib');
    const packed = async (encoding: string, body: Buffer): Promise<Got> =>
      send(url, {
        method: 'PUT',
        path: PATH,
        body,
        headers: { ...JSON_HEADERS, 'content-encoding': encoding },
      });
    const text = Buffer.from('{"error":"packed"}');

    expect((await packed('gzip', gzipSync(text))).status).toBe(202);
    expect((await packed('deflate', deflateSync(text))).status).toBe(202);
    expect((await packed('gzip', text)).status).toBe(400);
    expect((await packed('gzip', gzipSync(Buffer.alloc(64 << 20)))).status).toBe(413);
  });
});
