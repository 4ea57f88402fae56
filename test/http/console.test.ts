import cookies from '@fastify/cookie';
import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { createApiKey } from '../../src/http/api-keys.ts';
import { sessionCookie } from '../../src/http/console/session-cookie.ts';
import { openSessions } from '../../src/http/console/sessions.ts';
import { shareAnswer } from '../../src/http/console/share-answer.ts';
import { startOwnRedis } from '../support/redis.ts';
import { openTestDoor } from './setup.ts';

const OPERATOR = createApiKey('ann', ['read', 'operate']);
const READER = createApiKey('bob', ['read']);
const PRODUCER = createApiKey('connectors', ['report']);
const KEYS = { API_KEYS: [OPERATOR, READER, PRODUCER].map(({ line }) => line).join('\n') };

const OURS = { 'sec-fetch-site': 'same-origin' };

/** Shows a key as the page does. */
function signIn(url: string, key: string, headers: Readonly<Record<string, string>> = OURS) {
  return fetch(`${url}/console/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ key }),
  });
}

async function cookieOf(url: string, key: string): Promise<string> {
  const answer = await signIn(url, key);
  expect(answer.status).toBe(200);
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

describe('a session', () => {
  test('begins with a key that may read, and stands for its scopes until it is ended', async () => {
    const { url } = await openTestDoor(KEYS);
    const answer = await signIn(url, OPERATOR.encoded);
    expect(await answer.json()).toEqual({
      needs_key: true,
      signed_in: true,
      name: 'ann',
      scopes: ['read', 'operate'],
    });
    const set = answer.headers.get('set-cookie') ?? '';
    expect(set).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
    const cookie = set.split(';')[0] ?? '';
    // Neither the key nor anything that is made of it.
    expect(set).not.toContain(OPERATOR.encoded);
    expect(cookie.split('=')[1]).toMatch(/^[\w-]{43}$/);

    expect((await fetch(`${url}/v1/queue`, { headers: { cookie } })).status).toBe(200);
    const pause = (): Promise<Response> =>
      fetch(`${url}/v1/queue/pause`, { method: 'POST', headers: { cookie, ...OURS } });
    expect(await (await pause()).json()).toMatchObject({ status: 'paused', note: { by: 'http:ann' } });
    await fetch(`${url}/console/session`, { method: 'DELETE', headers: { cookie, ...OURS } });
    expect((await pause()).status).toBe(401);
    expect((await fetch(`${url}/v1/queue`, { headers: { cookie } })).status).toBe(401);
  });

  test('may do no more than its key', async () => {
    const { url } = await openTestDoor(KEYS);
    const cookie = await cookieOf(url, READER.encoded);
    expect((await fetch(`${url}/v1/dead-letters`, { headers: { cookie } })).status).toBe(200);
    for (const [method, path] of [
      ['POST', '/v1/queue/pause'],
      ['POST', '/v1/queue/resume'],
      ['DELETE', '/v1/dead-letters?all=true'],
      ['POST', '/v1/reports'],
    ] as const) {
      const answer = await fetch(url + path, { method, headers: { cookie, ...OURS } });
      expect(answer.status, path).toBe(403);
    }
  });

  test('is not given to a key that may not read, to one that is nobody’s, or to a page from elsewhere', async () => {
    const { url } = await openTestDoor(KEYS);
    expect((await signIn(url, PRODUCER.encoded)).status).toBe(403);
    expect((await signIn(url, createApiKey('ann', ['read']).encoded)).status).toBe(401);
    expect((await signIn(url, OPERATOR.encoded, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await signIn(url, OPERATOR.encoded, {})).status).toBe(403);
    expect((await signIn(url, '')).status).toBe(400);
  });

  test('is over after an hour without use, and after twelve hours in any case', () => {
    let nowMs = 0;
    const sessions = openSessions(() => nowMs);
    const access = { kind: 'granted', name: 'ann', scopes: ['read'] } as const;
    const idle = sessions.begin(access);
    const used = sessions.begin(access);
    for (let minute = 0; minute <= 12 * 60; minute += 30) {
      nowMs = minute * 60_000;
      expect(sessions.find(used), `${minute} min`).toEqual(access);
    }
    expect(sessions.find(idle)).toBeUndefined();
    nowMs += 60_000;
    expect(sessions.find(used)).toBeUndefined();
  });

  test('has over TLS a cookie that no page without TLS and no other host can set', async () => {
    const server = fastify();
    await server.register(cookies);
    server.get('/', (_request, reply) => {
      sessionCookie(true).set(reply, 'id');
      return reply.send('');
    });
    const { headers } = await server.inject('/');
    expect(headers['set-cookie']).toBe(
      '__Host-sync-error-relay-session=id; Path=/; HttpOnly; Secure; SameSite=Strict',
    );
  });
});

const FOREIGN: readonly Readonly<Record<string, string>>[] = [
  { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'none' },
  { origin: 'https://elsewhere.example' },
  { origin: 'null' },
];

describe('a page from elsewhere', () => {
  test.each(FOREIGN)('changes nothing by the cookie of a person: %o', async (headers) => {
    const { url } = await openTestDoor(KEYS);
    const cookie = await cookieOf(url, OPERATOR.encoded);
    const pause = (more: Readonly<Record<string, string>>): Promise<Response> =>
      fetch(`${url}/v1/queue/pause`, { method: 'POST', headers: { cookie, ...more } });
    expect((await pause(headers)).status).toBe(403);
    expect((await pause({})).status).toBe(403);
    const { paused } = (await (await fetch(`${url}/v1/queue`, { headers: { cookie } })).json()) as {
      readonly paused: boolean;
    };
    expect(paused).toBe(false);
    expect((await pause({ origin: new URL(url).origin })).status).toBe(200);
  });

  test.each(FOREIGN)('changes nothing on a door without keys either: %o', async (headers) => {
    const { url } = await openTestDoor();
    const send = (more: Readonly<Record<string, string>>): Promise<Response> =>
      fetch(`${url}/v1/dead-letters/redrive`, { method: 'POST', headers: more, body: '{"all":true}' });
    expect((await send(headers)).status).toBe(403);
    expect((await send(OURS)).status).toBe(202);
  });

  test('may act where its origin is allowed, and programs that are no browser may as before', async () => {
    const origin = 'https://elsewhere.example';
    const { url } = await openTestDoor({ HTTP_CORS_ORIGINS: origin });
    const pause = (headers: Readonly<Record<string, string>>): Promise<Response> =>
      fetch(`${url}/v1/queue/pause`, { method: 'POST', headers });
    expect((await pause({ origin, 'sec-fetch-site': 'cross-site' })).status).toBe(200);
    expect((await pause({})).status).toBe(200);
  });
});

describe('the files of the page', () => {
  test('are served to everybody under a policy that takes nothing from elsewhere and nothing inline', async () => {
    const { url } = await openTestDoor(KEYS);
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/console/main.js', 'javascript'],
      ['/console/console.css', 'text/css'],
      ['/console/uPlot.esm.js', 'javascript'],
      ['/console/uPlot.min.css', 'text/css'],
      ['/console/icon.svg', 'image/svg+xml'],
    ] as const) {
      const answer = await fetch(url + path);
      expect(answer.status, path).toBe(200);
      expect(answer.headers.get('content-type'), path).toContain(type);
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
      expect(policy).not.toContain('unsafe');
    }
  });

  test.each([
    '/console/tsconfig.json',
    '/console/types.d.ts',
    '/console/uPlot.cjs.js',
    '/console/..%2fpackage.json',
    '/console/%2e%2e/package.json',
    '/console/',
    '/console/none.js',
  ])('are no others: %s', async (path) => {
    const { url } = await openTestDoor();
    expect((await fetch(url + path)).status).toBe(404);
  });
});

interface Frame {
  readonly name: string;
  readonly data: unknown;
}

/** Reads server-sent events until the stream ends. */
async function* framesOf(answer: Response): AsyncGenerator<Frame, void, undefined> {
  let text = '';
  for await (const chunk of (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
      if (name !== undefined) yield { name, data: JSON.parse(data ?? 'null') };
    }
  }
}

describe('the events', () => {
  test('begin with the last hour, tell of every second, and end with the session', async () => {
    const { url } = await openTestDoor(KEYS);
    expect((await fetch(`${url}/console/events`)).status).toBe(401);
    const cookie = await cookieOf(url, READER.encoded);
    const answer = await fetch(`${url}/console/events`, { headers: { cookie } });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');

    const names: string[] = [];
    for await (const { name, data } of framesOf(answer)) {
      names.push(name);
      if (name === 'moment') {
        expect(data).toMatchObject({ overview: { waiting: 0, paused: false, workers: [] }, redrives: [] });
      }
      if (names.length === 2) {
        await fetch(`${url}/console/session`, { method: 'DELETE', headers: { cookie, ...OURS } });
      }
    }
    expect(names.slice(0, 2)).toEqual(['history', 'moment']);
  });

  test('end at once where the door closes', async () => {
    const { url, door } = await openTestDoor();
    const frames = framesOf(await fetch(`${url}/console/events`));
    await frames.next();
    const startedAtMs = performance.now();
    await door.close();
    while (!(await frames.next()).done);
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });

  test('say that Redis is away, and go on when it is back', async () => {
    await using redis = await startOwnRedis();
    const { url } = await openTestDoor({ REDIS_URL: redis.url });
    const frames = framesOf(await fetch(`${url}/console/events`));
    const next = async (wanted: string): Promise<void> => {
      for (;;) {
        const { value, done } = await frames.next();
        if (done === true) throw new Error(`the stream ended without ${wanted}`);
        if (value.name === wanted) return;
      }
    };
    await next('moment');
    await redis.kill();
    await next('away');
    await redis.start();
    await next('moment');
    await frames.return();
  });

  test('are asked for once, however many look', async () => {
    let asked = 0;
    let nowMs = 0;
    const look = shareAnswer(
      async () => {
        asked += 1;
        if (asked === 2) throw new Error('away');
        return asked;
      },
      1_000,
      () => nowMs,
    );
    expect(await Promise.all([look(), look(), look()])).toEqual([1, 1, 1]);
    nowMs = 1_000;
    await expect(look()).rejects.toThrow('away');
    expect(await look()).toBe(3);
  });
});

describe('Bull Board', () => {
  test('shows the queue to those who may read, and sends others to sign in', async () => {
    const { url } = await openTestDoor(KEYS);
    const browser = { accept: 'text/html', redirect: 'manual' } as const;
    const refused = await fetch(`${url}/queues`, { headers: { accept: 'text/html' }, redirect: 'manual' });
    expect([refused.status, refused.headers.get('location')]).toEqual([302, '/']);
    expect((await fetch(`${url}/queues/api/queues`)).status).toBe(401);
    const headers = { cookie: await cookieOf(url, READER.encoded), accept: browser.accept };
    const page = await fetch(`${url}/queues`, { headers });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    const listed = await fetch(`${url}/queues/api/queues`, { headers });
    expect(await listed.json()).toMatchObject({ queues: [{ name: 'reports', readOnlyMode: true }] });
  });

  test.each([
    ['PUT', '/queues/api/queues/reports/pause'],
    ['PUT', '/queues/api/queues/reports/empty'],
    ['PUT', '/queues/api/queues/reports/obliterate'],
    ['PUT', '/queues/api/queues/reports/clean/failed'],
    ['PUT', '/queues/api/queues/reports/retry/failed'],
    ['POST', '/queues/api/queues/reports/add'],
  ])('changes nothing: %s %s', async (method, path) => {
    const { url } = await openTestDoor(KEYS);
    const cookie = await cookieOf(url, OPERATOR.encoded);
    await fetch(`${url}/queues/api/queues`, { headers: { cookie } });
    const answer = await fetch(url + path, { method, headers: { cookie, ...OURS } });
    expect(answer.status).toBe(405);
  });

  test('is refused to a name that has been pointed at a door without keys', async () => {
    const { url } = await openTestDoor();
    const { request } = await import('node:http');
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    request(`${url}/queues/api/queues`, { headers: { host: 'elsewhere.example' } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).end();
    expect(await promise).toBe(403);
  });
});

test('the queue is told of over HTTP, and paused and resumed with a note', async () => {
  const { url } = await openTestDoor();
  const post = async (path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(url + path, {
      method: 'POST',
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return answer.json();
  };
  await post('/v1/reports', { connector_sync_job_id: 'job-1', error: 'TimeoutError' });
  expect(await post('/v1/queue/pause', { reason: 'an upgrade' })).toMatchObject({
    status: 'paused',
    note: { by: 'http:anonymous', reason: 'an upgrade' },
  });
  expect(await post('/v1/queue/pause')).toMatchObject({
    status: 'already-paused',
    note: { reason: 'an upgrade' },
  });
  expect(await (await fetch(`${url}/v1/queue`)).json()).toMatchObject({
    waiting: 1,
    paused: true,
    pause: { by: 'http:anonymous', reason: 'an upgrade' },
    circuit: { state: 'closed' },
    workers: [],
    dead_letters: {},
  });
  expect(await post('/v1/queue/resume')).toMatchObject({ status: 'resumed' });
  expect(await post('/v1/queue/resume')).toEqual({ status: 'not-paused' });
  expect(await post('/v1/queue/pause', { reason: 7 })).toMatchObject({ code: 'bad_request' });
});
