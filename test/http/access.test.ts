import { Client } from '@elastic/elasticsearch';
import { Client as Client8 } from 'elasticsearch-8';
import { describe, expect, test } from 'vitest';
import { authenticator, createApiKey, parseApiKeys, SCOPES, type Scope } from '../../src/http/api-keys.ts';
import type { Log } from '../../src/pipeline/ports.ts';
import { injectedDoor, openTestDoor } from './setup.ts';

const KEYS = Object.fromEntries(SCOPES.map((scope) => [scope, createApiKey(scope, [scope])])) as Record<
  Scope,
  ReturnType<typeof createApiKey>
>;
const ENV = {
  API_KEYS: Object.values(KEYS)
    .map(({ line }) => line)
    .join('\n'),
};
const REPORT = { connector_sync_job_id: 'job', error: 'TimeoutError' };

const ROUTES = [
  ['POST', '/v1/reports', 'report', 202],
  ['PUT', '/_connector/_sync_job/job/_error', 'report', 202],
  ['GET', `/v1/reports/r-${'a'.repeat(24)}`, 'read', 200],
  ['GET', '/v1/dead-letters', 'read', 200],
  ['GET', '/v1/dead-letters/d-x', 'read', 404],
  ['GET', '/metrics', 'read', 200],
] as const;

describe('with API keys', () => {
  test.each(ROUTES)('%s %s takes the scope %s and no other', async (method, url, needed, status) => {
    const door = await injectedDoor(undefined, ENV);
    const payload = JSON.stringify(url.startsWith('/_') ? { error: 'x' } : REPORT);
    const ask = async (authorization?: string): Promise<number> => {
      const body = method === 'GET' ? {} : { payload };
      const headers = {
        ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
        ...(authorization === undefined ? {} : { authorization }),
      };
      return (await door.inject({ method, url, headers, ...body })).statusCode;
    };

    for (const scope of SCOPES) {
      for (const scheme of ['ApiKey', 'Bearer', 'Basic', 'apikey']) {
        const expected = scope === needed ? status : 403;
        expect(await ask(`${scheme} ${KEYS[scope].encoded}`), `${scheme} ${scope}`).toBe(expected);
      }
    }
    const encoded = KEYS[needed].encoded;
    const other = createApiKey(needed, [needed]).encoded;
    for (const wrong of [
      undefined,
      '',
      'ApiKey',
      `ApiKey ${other}`,
      `Digest ${encoded}`,
      `ApiKey ${encoded}x!`,
      encoded,
    ]) {
      expect(await ask(wrong), String(wrong)).toBe(401);
    }
  });

  test.each(['/livez', '/readyz', '/openapi.json', '/docs', '/docs.css'])('%s asks for none', async (url) => {
    const door = await injectedDoor(undefined, ENV);
    expect((await door.inject(url)).statusCode).toBe(200);
  });

  test('refusals say how to authenticate, each path in its form', async () => {
    const door = await injectedDoor(undefined, ENV);
    const ours = await door.inject({ url: '/v1/dead-letters' });
    const theirs = await door.inject({ method: 'PUT', url: '/_connector/_sync_job/job/_error' });

    expect(ours.headers['content-type']).toBe('application/problem+json');
    expect(ours.json()).toMatchObject({ status: 401, code: 'unauthorized' });
    expect(ours.headers['www-authenticate']).toContain('ApiKey');
    expect(theirs.json()).toMatchObject({
      error: {
        type: 'security_exception',
        reason: expect.stringContaining('missing authentication credentials'),
      },
      status: 401,
    });
    expect(theirs.headers['www-authenticate']).toContain('ApiKey');
  });

  test('Elasticsearch’s own clients get in, each in its own ways', async () => {
    const { url } = await openTestDoor(ENV);
    const encoded = KEYS.report.encoded;
    const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(':');
    const ways = [
      { apiKey: encoded },
      { apiKey: { id, api_key: secret } },
      { bearer: encoded },
      { username: id, password: secret },
    ];
    for (const auth of ways) {
      const [nine, eight] = [new Client({ node: url, auth }), new Client8({ node: url, auth })];
      const call = { connector_sync_job_id: 'job', error: 'x' };
      for (const answer of [
        await nine.connector.syncJobError(call),
        await eight.connector.syncJobError(call),
      ]) {
        expect(answer).toMatchObject({ result: 'accepted', id: expect.stringMatching(/^r-/) });
      }
      await Promise.all([nine.close(), eight.close()]);
    }
  });
});

describe('without API keys', () => {
  test('only localhost is served, so that no web page can be pointed at it', async () => {
    const door = await injectedDoor();
    for (const [host, status] of [
      ['127.0.0.1:1', 200],
      ['localhost', 200],
      ['[::1]:1', 200],
      ['evil.example', 403],
    ] as const) {
      expect((await door.inject({ url: '/v1/dead-letters', headers: { host } })).statusCode, host).toBe(
        status,
      );
    }
    expect((await door.inject({ url: '/livez', headers: { host: 'evil.example' } })).statusCode).toBe(200);
  });

  test('beyond this machine only health and metrics are served', async () => {
    const { url } = await openTestDoor({ HTTP_HOST: '0.0.0.0' });
    const { port } = new URL(url);
    const status = async (path: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    expect(await status('/livez')).toBe(200);
    expect(await status('/readyz')).toBe(200);
    expect(await status('/metrics')).toBe(200);
    expect(await status('/v1/dead-letters')).toBe(404);
    expect(await status('/_connector/_sync_job/job/_error')).toBe(404);
  });
});

describe('keys', () => {
  test('are written and read back, several of one name at once', () => {
    const [old, fresh] = [createApiKey('a', ['report']), createApiKey('a', ['report', 'read'])];
    const keys = parseApiKeys(`${old.line},\n ${fresh.line}`) ?? [];
    const authenticate = authenticator(keys);
    expect(keys).toHaveLength(2);
    expect(authenticate(`ApiKey ${old.encoded}`)).toEqual({ kind: 'granted', name: 'a', scopes: ['report'] });
    expect(authenticate(`ApiKey ${fresh.encoded}`)).toMatchObject({ scopes: ['report', 'read'] });
    expect(old.line).not.toContain(Buffer.from(old.encoded, 'base64').toString().split(':')[1]);
  });

  test.each([
    '',
    'a',
    'a:report',
    'a:report:zz',
    `a:write:${'0'.repeat(64)}`,
    `a b:report:${'0'.repeat(64)}`,
  ])('%j is none', (text) => {
    expect(parseApiKeys(text)).toBeUndefined();
  });
});

test('no key, no error text and no path is in the log', async () => {
  const lines: string[] = [];
  const write = (fields: unknown, message: string): void => {
    lines.push(JSON.stringify([fields, message]));
  };
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const { url } = await openTestDoor(ENV, log);
  const authorization = `ApiKey ${KEYS.report.encoded}`;
  const headers = { authorization, 'content-type': 'application/json', 'x-request-id': 'mine-1' };
  const call = (path: string, method: string, body: unknown): Promise<Response> =>
    fetch(url + path, { method, headers, body: JSON.stringify(body) });

  const answer = await call('/v1/reports', 'POST', { ...REPORT, error: 'a secret text' });
  await call('/v1/reports', 'POST', { secret_field: 'a secret text' });
  await call('/_connector/_sync_job/secret-job/_error', 'PUT', { error: 'a secret text' });
  await call('/secret-path', 'PUT', 'a secret text');

  expect(answer.headers.get('x-request-id')).toBe('mine-1');
  expect(lines).toHaveLength(4);
  expect(lines.join()).toContain('"client":"report"');
  expect(lines.join()).toContain('mine-1');
  expect(lines.join()).not.toMatch(/a secret text|secret.path|secret-job|secret_field/);
  expect(lines.join()).not.toContain(KEYS.report.encoded);
});
