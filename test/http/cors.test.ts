import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createApiKey } from '../../src/http/api-keys.ts';
import { fakeQueue, injectedDoor } from './setup.ts';

const OURS = 'https://console.example.org';
const ALLOWED = { HTTP_CORS_ORIGINS: `http://localhost:5173, ${OURS}` };
const corsHeaders = (headers: object): string[] =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

const preflight = (origin: string, url = '/v1/reports') =>
  ({
    method: 'OPTIONS',
    url,
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  }) as const;

describe('without origins', () => {
  test('nothing is said about any, and OPTIONS names the methods as before', async () => {
    const door = await injectedDoor();
    const asked = await door.inject(preflight(OURS));
    expect([asked.statusCode, asked.headers['allow']]).toEqual([204, 'POST']);
    const sent = await door.inject({ url: '/v1/dead-letters', headers: { origin: OURS } });
    expect(sent.statusCode).toBe(200);
    for (const { headers } of [asked, sent]) {
      expect(corsHeaders(headers)).toEqual([]);
      expect(headers['vary']).toBeUndefined();
    }
  });
});

describe('with origins', () => {
  test.each([OURS, 'http://localhost:5173'])('a page of %s may ask and send', async (origin) => {
    const queue = fakeQueue();
    const door = await injectedDoor(queue, ALLOWED);
    const asked = await door.inject(preflight(origin));
    expect(asked.statusCode).toBe(204);
    expect(asked.headers['access-control-allow-origin']).toBe(origin);
    expect(asked.headers['access-control-allow-headers']).toMatch(/Authorization, Content-Type/);
    expect(asked.headers['access-control-allow-methods']).toBe('GET, HEAD, POST, PUT, PATCH, DELETE');
    expect(asked.headers['access-control-allow-credentials']).toBeUndefined();
    expect(asked.headers['vary']).toMatch(/origin/i);

    const sent = await door.inject({
      method: 'POST',
      url: '/v1/reports',
      headers: { origin, 'content-type': 'application/json' },
      payload: '{"connector_sync_job_id":"job","error":"x"}',
    });
    expect(sent.statusCode).toBe(202);
    expect(sent.headers['access-control-allow-origin']).toBe(origin);
    expect(sent.headers['access-control-expose-headers']).toMatch(/Location, Retry-After/);
    expect(queue.accepted).toHaveLength(1);
  });

  test.each([
    'https://console.example.org.evil.example',
    'https://evil.example',
    'http://console.example.org',
    'https://console.example.org:8443',
    'null',
  ])('a page of %s may not', async (origin) => {
    const door = await injectedDoor(fakeQueue(), ALLOWED);
    for (const answer of [
      await door.inject(preflight(origin)),
      await door.inject(preflight(origin, '/_connector/_sync_job/job/_error')),
      await door.inject({ url: '/v1/dead-letters', headers: { origin } }),
    ]) {
      expect(corsHeaders(answer.headers)).toEqual([]);
    }
  });

  test('an OPTIONS of no page names the methods as before', async () => {
    const door = await injectedDoor(fakeQueue(), ALLOWED);
    const answer = await door.inject({ method: 'OPTIONS', url: '/v1/reports' });
    expect([answer.statusCode, answer.headers['allow']]).toEqual([204, 'POST']);
    expect((await door.inject({ method: 'OPTIONS', url: '/nowhere' })).statusCode).toBe(404);
  });

  test('a page without a key is refused, and can read why', async () => {
    const { line } = createApiKey('console', ['read']);
    const door = await injectedDoor(fakeQueue(), { ...ALLOWED, API_KEYS: line });
    expect((await door.inject(preflight(OURS))).statusCode).toBe(204);
    const refused = await door.inject({ url: '/v1/dead-letters', headers: { origin: OURS } });
    expect(refused.statusCode).toBe(401);
    expect(refused.headers['access-control-allow-origin']).toBe(OURS);
  });
});

test.each([
  '*',
  'https://a.example/',
  'https://A.example',
  'https://a.example:443',
  'ftp://a.example',
  'a.example',
  'https://a.example,*',
])('HTTP_CORS_ORIGINS of %j is refused', (value) => {
  expect(() => readConfig({ HTTP_PORT: '0', HTTP_CORS_ORIGINS: value })).toThrow(
    /HTTP_CORS_ORIGINS: expected origins as browsers write them/,
  );
});
