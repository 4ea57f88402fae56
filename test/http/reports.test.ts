import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { createGzip, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { openRelay } from '../../src/relay.ts';
import { startCli } from '../support/built-cli.ts';
import { keyPrefix, redisUrl, startOwnRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';
import { EMPTY_DEPTH, fakeQueue, injectedDoor, openTestDoor } from './setup.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const NDJSON_TYPE = { 'content-type': 'application/x-ndjson' };
const report = (id: number | string, error = 'TimeoutError') => ({
  connector_sync_job_id: String(id),
  error,
});

async function post(url: string, body: string | Buffer, headers: Record<string, string>): Promise<Response> {
  return await fetch(`${url}/v1/reports`, { method: 'POST', body: body as string, headers });
}

describe('POST /v1/reports', () => {
  test('takes one report, an array, or lines, and gives a result for each in order', async () => {
    const { url } = await openTestDoor();
    const one = await post(url, JSON.stringify(report(1)), JSON_TYPE);
    const many = await post(url, JSON.stringify([report(1), 7, report(2)]), JSON_TYPE);
    const lines = await post(
      url,
      `${JSON.stringify(report(2))}\r\n\nno\n${JSON.stringify(report(3))}`,
      NDJSON_TYPE,
    );

    const { id } = (await one.json()) as { id: string };
    expect(one.status).toBe(202);
    expect(one.headers.get('location')).toBe(`/v1/reports/${id}`);
    expect(many.status).toBe(202);
    expect(await many.json()).toMatchObject([
      { status: 'duplicate', id },
      { status: 'invalid' },
      { status: 'queued' },
    ]);
    expect(lines.headers.get('content-type')).toBe('application/x-ndjson');
    const results = (await lines.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(results).toMatchObject([
      { line: 1, status: 'duplicate' },
      { line: 3, status: 'invalid' },
      { line: 4, status: 'queued' },
    ]);
  });

  test('an idempotency key makes two requests the same, and two reports of one request not', async () => {
    const { url } = await openTestDoor();
    const headers = { ...JSON_TYPE, 'idempotency-key': '"key-1"' };
    const ids = async (body: unknown): Promise<string[]> => {
      const answer = (await (await post(url, JSON.stringify(body), headers)).json()) as
        | { id: string }
        | { id: string }[];
      return [answer].flat().map(({ id }) => id);
    };
    const one = await ids(report(1, 'first text'));
    expect(await ids(report(1, 'other text'))).toEqual(one);
    const pair = await ids([report(1, 'a'), report(1, 'b')]);
    expect(new Set(pair).size).toBe(2);
    expect(await ids([report(1, 'a'), report(1, 'b')])).toEqual(pair);
  });

  test.each([
    ['what is no report', '{}', JSON_TYPE, 400, 'invalid_report'],
    ['what is no JSON', '{', JSON_TYPE, 400, 'bad_request'],
    ['what is no UTF-8', Buffer.from([0x22, 0xff, 0x22]), JSON_TYPE, 400, 'bad_request'],
    ['nothing', '', JSON_TYPE, 400, 'bad_request'],
    ['an array of nothing', '[]', JSON_TYPE, 400, 'invalid_report'],
    ['an array without a report', '[1,{}]', JSON_TYPE, 400, 'invalid_report'],
    ['lines without a report', 'a\nb\n', NDJSON_TYPE, 400, 'invalid_report'],
    ['no lines', '\n\n', NDJSON_TYPE, 400, 'invalid_report'],
    ['lines that never become reports', 'x\n'.repeat(5_000), NDJSON_TYPE, 400, 'invalid_report'],
    ['another kind of content', 'a', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['an unknown packing', 'a', { ...JSON_TYPE, 'content-encoding': 'br' }, 415, 'unsupported_media_type'],
    ['what is not packed as it says', 'a', { ...JSON_TYPE, 'content-encoding': 'gzip' }, 400, 'bad_request'],
    ['lines not packed as they say', 'a', { ...NDJSON_TYPE, 'content-encoding': 'gzip' }, 400, 'bad_request'],
    ['too much', 'x'.repeat(1_025), JSON_TYPE, 413, 'too_large'],
    [
      'a bomb',
      gzipSync(Buffer.alloc(1 << 20)),
      { ...JSON_TYPE, 'content-encoding': 'gzip' },
      413,
      'too_large',
    ],
    ['too many', '[1,2,3,4]', JSON_TYPE, 413, 'too_large'],
  ])('refuses %s', async (_what, payload, headers, status, code) => {
    const door = await injectedDoor(fakeQueue(), { HTTP_MAX_BODY_BYTES: '1024', HTTP_MAX_ITEMS: '3' });
    const answer = await door.inject({ method: 'POST', url: '/v1/reports', payload, headers });
    expect(answer.json()).toMatchObject({ status, code, type: `/docs#${code}`, title: expect.any(String) });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
  });

  test('200,000 packed lines pass in bounded memory, each with its result', async () => {
    const env = { REDIS_URL: redisUrl(), KEY_PREFIX: keyPrefix(), HTTP_PORT: '0' };
    // A process of its own, so that its memory is its own too.
    const server = startCli(['serve'], { ...env, NODE_OPTIONS: '--max-semi-space-size=8' });
    const { address } = (await server.line('front door open')) as { address: string };
    const { hostname, port } = new URL(address);
    const count = 200_000;
    const headers = { ...NDJSON_TYPE, 'content-encoding': 'gzip' };
    const sent = httpRequest({ hostname, port, method: 'POST', path: '/v1/reports', headers });
    const chunks = function* () {
      for (let from = 0; from < count; from += 1_000) {
        const ids = Array.from({ length: 1_000 }, (_, index) => from + index);
        yield ids.map((id) => `${JSON.stringify(report(id, 'x'.repeat(100)))}\n`).join('');
      }
    };
    Readable.from(chunks())
      .pipe(createGzip({ level: 1 }))
      .pipe(sent);
    const [response] = (await once(sent, 'response')) as [Readable & { statusCode: number }];
    let lines = 0;
    for await (const line of createInterface({ input: response })) {
      lines++;
      if (!line.includes(`"line":${lines},"status":"queued"`)) throw new Error(line);
    }

    expect(response.statusCode).toBe(202);
    expect(lines).toBe(count);
    const status = await readFile(`/proc/${server.child.pid}/status`, 'utf8').catch(() => 'VmHWM: 0 kB');
    expect(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1_024).toBeLessThan(384);
    await using relay = openRelay(readConfig(env));
    expect((await relay.depth()).waiting).toBe(count);
    expect(await server.end('SIGTERM')).toBe(0);
  }, 240_000);

  test('a line is accepted and answered while the stream stays open, and silence ends it', async () => {
    const { url } = await openTestDoor({ HTTP_BODY_TIMEOUT_MS: '500' });
    const { hostname, port } = new URL(url);
    const sent = httpRequest({ hostname, port, method: 'POST', path: '/v1/reports', headers: NDJSON_TYPE });
    sent.on('error', () => undefined);
    sent.write(`${JSON.stringify(report(1))}\n`);
    const [response] = (await once(sent, 'response')) as [Readable];
    const results: unknown[] = [];
    for await (const line of createInterface({ input: response })) results.push(JSON.parse(line));

    expect(results).toMatchObject([
      { line: 1, status: 'queued' },
      { status: 'failed', code: 'timeout' },
    ]);
  });

  test('a body that trickles in is cut off', async () => {
    const { url } = await openTestDoor({ HTTP_BODY_TIMEOUT_MS: '300' });
    const { hostname, port } = new URL(url);
    const sent = httpRequest({
      hostname,
      port,
      method: 'POST',
      path: '/v1/reports',
      headers: { ...JSON_TYPE, 'content-length': '1000' },
    });
    const failed = once(sent, 'close');
    sent.on('error', () => undefined);
    sent.write('{');
    const [response] = (await once(sent, 'response')) as [Readable & { statusCode: number }];
    response.resume();
    expect(response.statusCode).toBe(408);
    await failed;
  });
});

describe('limits', () => {
  test('a full backlog sheds with 429 and Retry-After, and takes reports again when there is room', async () => {
    let waiting = 10;
    const queue = fakeQueue({ depth: async () => ({ ...EMPTY_DEPTH, waiting }) });
    const door = await injectedDoor(queue, { MAX_BACKLOG: '10' });
    const send = (url: string, method: 'POST' | 'PUT', payload: string) =>
      door.inject({ method, url, payload, headers: JSON_TYPE });
    const [ours, theirs] = [
      await send('/v1/reports', 'POST', JSON.stringify(report(1))),
      await send('/_connector/_sync_job/a/_error', 'PUT', '{"error":"x"}'),
    ];

    for (const answer of [ours, theirs]) {
      expect(answer.statusCode).toBe(429);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(ours.json()).toMatchObject({ code: 'backlog_full' });
    expect(theirs.json()).toMatchObject({ error: { type: 'es_rejected_execution_exception' }, status: 429 });
    expect(queue.accepted).toEqual([]);
    waiting = 9;
    await until(
      'it takes reports',
      async () => (await send('/v1/reports', 'POST', JSON.stringify(report(1)))).statusCode === 202,
    );
  });

  test('a key that sends too much waits, each path in its form', async () => {
    const door = await injectedDoor(fakeQueue(), { HTTP_REQUESTS_PER_SECOND: '2' });
    const answers = [];
    for (let index = 0; index < 4; index++) {
      const call = {
        method: 'PUT',
        url: '/_connector/_sync_job/a/_error',
        payload: '{"error":"x"}',
      } as const;
      answers.push(await door.inject({ ...call, headers: JSON_TYPE }));
    }
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([202, 202, 429, 429]);
    const refused = answers.find(({ statusCode }) => statusCode === 429);
    expect(refused?.json()).toMatchObject({ error: { type: 'es_rejected_execution_exception' } });
    expect(refused?.headers).toMatchObject({ 'retry-after': '1', 'x-elastic-product': 'Elasticsearch' });
  });
});

describe('while Redis is away', () => {
  test('nothing is accepted, and every way in says so in time', async () => {
    const own = await startOwnRedis();
    const { url } = await openTestDoor({ REDIS_URL: own.url, ENQUEUE_TIMEOUT_MS: '500' });
    expect((await post(url, JSON.stringify(report(1)), JSON_TYPE)).status).toBe(202);
    await own.kill();

    const put = () =>
      fetch(`${url}/_connector/_sync_job/a/_error`, {
        method: 'PUT',
        headers: JSON_TYPE,
        body: '{"error":"x"}',
      });
    const ways = [
      () => post(url, JSON.stringify(report(2)), JSON_TYPE),
      () => post(url, JSON.stringify([report(2)]), JSON_TYPE),
      () => post(url, JSON.stringify(report(2)), NDJSON_TYPE),
      put,
      () => fetch(`${url}/v1/dead-letters`),
      () => fetch(`${url}/v1/reports/r-${'a'.repeat(24)}`),
    ];
    for (const way of ways) {
      const startedAt = performance.now();
      const answer = await way();
      const text = await answer.text();
      expect(answer.status, text).toBe(503);
      expect(performance.now() - startedAt).toBeLessThan(1_500);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(text).not.toContain(String(own.port));
    }
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^sync_error_relay_queue_up 0$/m);

    await own.start();
    await until('it takes reports again', async () => (await put()).status === 202);
    expect(await (await post(url, JSON.stringify(report(1)), JSON_TYPE)).json()).toMatchObject({
      status: 'duplicate',
    });
  });
});
