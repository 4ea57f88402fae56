import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type StandInOptions, startStandIn } from '../../src/stand-in/index.ts';
import { keyPrefix, redisUrl, startOwnRedis } from '../support/redis.ts';
import { listen } from '../support/scripted-redis.ts';
import { type CliOptions, NO_REDIS, runCli, startCli } from './run-cli.ts';

interface Check {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
  readonly advice?: string;
}

interface Diagnosis {
  readonly code: number | null;
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly text: string;
  /** Status and detail of a check, `none` where there is no such check. */
  of(name: string): string;
}

async function doctor(env: CliOptions['env']): Promise<Diagnosis> {
  const { code, stdout, stderr } = await runCli(['doctor', '--json'], { env: env ?? {} });
  expect(stderr).toBe('');
  const { ok, checks, ...rest } = JSON.parse(stdout) as { ok: boolean; checks: readonly Check[] };
  expect(rest).toEqual({});
  return {
    code,
    ok,
    checks,
    text: stdout,
    of: (name) => {
      const check = checks.find((each) => each.name === name);
      return check === undefined ? 'none' : `${check.status}: ${check.detail}`;
    },
  };
}

async function standIn(options: StandInOptions = {}): Promise<string> {
  const server = await startStandIn(options);
  onTestFinished(() => server.stop());
  return server.url;
}

/** Serves until the test has finished. */
async function serve(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return await listen(server);
}

/** Something that is not quite Elasticsearch. */
async function oddServer(answer: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await serve(createServer(answer))}`;
}

const encoded = (id: string, key: string): string => Buffer.from(`${id}:${key}`).toString('base64');
const SECURE: StandInOptions = {
  security: { apiKeys: [{ id: 'relay', key: 'hunter2-hunter2', cluster: ['manage_connector'] }] },
};
const KEY = encoded('relay', 'hunter2-hunter2');

/** A Redis that deserves no complaint, and a queue of the test's own. */
async function goodRedis(): Promise<{ readonly REDIS_URL: string; readonly KEY_PREFIX: string }> {
  const own = await startOwnRedis();
  return { REDIS_URL: own.url, KEY_PREFIX: keyPrefix() };
}

describe('doctor', () => {
  test('finds nothing wrong where all is well, and sees the workers', async () => {
    const env = {
      ...(await goodRedis()),
      ELASTICSEARCH_URL: await standIn(SECURE),
      ELASTICSEARCH_API_KEY: KEY,
      WORKER_NAME: 'worker-7',
    };
    const worker = startCli(['work'], { env });
    const exited = once(worker, 'exit');
    for await (const line of createInterface({ input: worker.stdout })) {
      if (line.includes('worker started')) break;
    }
    const { code, ok, checks, of, text } = await doctor(env);

    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(checks.map(({ name }) => name)).toEqual([
      'configuration',
      'redis',
      'redis_version',
      'redis_eviction',
      'redis_persistence',
      'redis_memory',
      'redis_latency',
      'redis_clock',
      'queue',
      'queue_depth',
      'failed_jobs',
      'workers',
      'elasticsearch',
      'elasticsearch_version',
      'credentials',
      'privilege',
      'connector_api',
    ]);
    expect(of('workers')).toBe('ok: 1 connected: worker-7');
    expect(of('credentials')).toBe('ok: API key relay of elastic');
    expect(text).not.toContain(KEY);
    worker.kill('SIGTERM');
    await exited;
  });

  test('prints a table that fits, with what to do below each line that is not well', async () => {
    const { code, stdout } = await runCli(['doctor'], {
      env: { REDIS_URL: redisUrl(), KEY_PREFIX: keyPrefix(), ELASTICSEARCH_URL: 'http://127.0.0.1:9' },
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^configuration {6}ok {7}every setting is valid\n/);
    expect(stdout).toMatch(
      /\nredis persistence {2}warning {2}no append-only file: .*\n {28}→ redis-cli config set appendonly yes/,
    );
    expect(stdout).toMatch(/\nelasticsearch {6}failed {3}http:\/\/127\.0\.0\.1:9: connect ECONNREFUSED/);
    expect(stdout).toMatch(/\n\n1 check failed, 2 warnings\.\n$/);
  });

  test('says of a Redis what would lose reports', async () => {
    const own = await startOwnRedis({ appendOnly: false, maxMemoryPolicy: 'allkeys-lru' });
    const operator = new Redis(own.url);
    await operator.config('SET', 'maxmemory', '100mb');
    operator.disconnect();
    const { code, of } = await doctor({ REDIS_URL: own.url, ELASTICSEARCH_URL: await standIn() });

    expect(code).toBe(1);
    expect(of('redis_eviction')).toBe('failed: allkeys-lru: a full Redis drops reports without a trace');
    expect(of('redis_persistence')).toMatch(/^warning: no append-only file/);
    expect(of('redis_memory')).toMatch(/^ok: .* of 100\.0 MiB/);
  });

  test('says of the queue that it is paused, by whom, and that failed jobs wait', async () => {
    const redis = await goodRedis();
    const env = { ...redis, ELASTICSEARCH_URL: await standIn() };
    await runCli(['pause', '--by', 'ann', '--reason', 'upgrade'], { env });
    const operator = new Redis(redis.REDIS_URL);
    await operator.zadd(`${redis.KEY_PREFIX}:reports:failed`, 1, 'broken');
    operator.disconnect();
    const { code, of } = await doctor(env);

    expect(code).toBe(0);
    expect(of('queue')).toMatch(/^warning: paused by ann since .*: upgrade$/);
    expect(of('failed_jobs')).toMatch(/^warning: 1 /);
    expect(of('workers')).toMatch(/^warning: none is connected/);
  });

  test.each<[string, () => Promise<string> | string, string, RegExp]>([
    ['is not there', () => NO_REDIS, 'redis', /^failed: .*ECONNREFUSED/],
    [
      'refuses the password',
      () => redisUrl().replace('//', '//nobody:hunter2@'),
      'redis',
      /refuses the user/,
    ],
    [
      'cannot say what is on disk',
      async () => `${(await startOwnRedis({ appendOnly: false })).url}`,
      'redis_durability',
      /^failed: DURABILITY=fsync is refused/,
    ],
  ])('fails where Redis %s', async (_what, url, name, complaint) => {
    const { code, of, text } = await doctor({
      REDIS_URL: await url(),
      KEY_PREFIX: keyPrefix(),
      DURABILITY: 'fsync',
      ELASTICSEARCH_URL: await standIn(),
    });
    expect(code).toBe(1);
    expect(of(name)).toMatch(complaint);
    expect(of('connector_api')).toBe('ok: answers');
    expect(text).not.toContain('hunter2');
  });

  test.each<[string, StandInOptions, Record<string, string>, Record<string, RegExp>]>([
    [
      'without credentials',
      SECURE,
      {},
      { credentials: /^failed: none are set/, elasticsearch: /^ok/, privilege: /^none/ },
    ],
    [
      'with a key that is not valid',
      SECURE,
      { ELASTICSEARCH_API_KEY: encoded('relay', 'wrong-wrong') },
      { credentials: /^failed: refused \(HTTP 401/, connector_api: /^none/ },
    ],
    [
      'with a key that may only look',
      {
        security: {
          apiKeys: [{ id: 'look', key: 'secret-secret', cluster: ['monitor_connector', 'monitor'] }],
        },
      },
      { ELASTICSEARCH_API_KEY: encoded('look', 'secret-secret') },
      {
        privilege: /^failed: cluster privilege manage_connector: missing/,
        connector_api: /^ok/,
        elasticsearch_version: /^ok: 9\./,
      },
    ],
    [
      'of 8.17 with the privileges on its indices',
      {
        elasticsearchVersion: '8.17.3',
        security: {
          apiKeys: [{ id: 'old', key: 'secret-secret', cluster: ['monitor'], indices: ['read', 'write'] }],
        },
      },
      { ELASTICSEARCH_API_KEY: encoded('old', 'secret-secret') },
      {
        privilege: /^ok: index privileges read and write on \.elastic-connectors-sync-jobs\*/,
        connector_api: /^ok/,
      },
    ],
    [
      'of 8.17 that hides its version',
      {
        elasticsearchVersion: '8.17.3',
        security: { apiKeys: [{ id: 'old', key: 'secret-secret', cluster: [], indices: ['read', 'write'] }] },
      },
      { ELASTICSEARCH_API_KEY: encoded('old', 'secret-secret') },
      { elasticsearch_version: /^ok: not told/, privilege: /^ok: index privileges/, connector_api: /^ok/ },
    ],
    [
      'of 8.12 with a user and the privilege to manage',
      {
        elasticsearchVersion: '8.12.0',
        security: { users: [{ name: 'ann', password: 'secret-secret', cluster: ['manage'] }] },
      },
      { ELASTICSEARCH_USERNAME: 'ann', ELASTICSEARCH_PASSWORD: 'secret-secret' },
      {
        credentials: /^ok: user ann/,
        privilege: /^ok: cluster privilege manage$/,
        elasticsearch_version: /^ok: 8\.12/,
      },
    ],
    [
      'without security',
      {},
      {},
      { credentials: /^warning: security is off/, privilege: /^none/, connector_api: /^ok/ },
    ],
  ])('judges an Elasticsearch %s', async (_what, options, credentials, expected) => {
    const url = await standIn(options);
    const { of, text } = await doctor({
      REDIS_URL: redisUrl(),
      KEY_PREFIX: keyPrefix(),
      ELASTICSEARCH_URL: url,
      ...credentials,
    });
    for (const [name, complaint] of Object.entries(expected)) expect(of(name), name).toMatch(complaint);
    expect(text).not.toMatch(/secret-secret|wrong-wrong/);
  });

  test('tells another product and an Elasticsearch without the API from one that has it', async () => {
    const env = { REDIS_URL: redisUrl(), KEY_PREFIX: keyPrefix() };
    const other = await oddServer((_request, response) => {
      response.end('{"version":{"distribution":"opensearch","number":"2.11.0"}}');
    });
    expect((await doctor({ ...env, ELASTICSEARCH_URL: other })).of('elasticsearch')).toMatch(
      /^failed: .*HTTP 200, not from Elasticsearch$/,
    );
    const old = await oddServer((request, response) => {
      response.setHeader('x-elastic-product', 'Elasticsearch');
      if (request.url === '/') response.end('{"version":{"number":"8.11.4"}}');
      else {
        response.statusCode = 400;
        response.end(`{"error":"no handler found for uri [${request.url}] and method [${request.method}]"}`);
      }
    });
    const { of, code } = await doctor({ ...env, ELASTICSEARCH_URL: old });
    expect(code).toBe(1);
    expect(of('elasticsearch_version')).toBe('failed: 8.11.4 has no connector API');
    expect(of('connector_api')).toBe('failed: there is none');
  });

  test('prints no secret, even where a server repeats it', async () => {
    const echo = await oddServer((request, response) => {
      response.setHeader('x-elastic-product', 'Elasticsearch');
      response.statusCode = 401;
      const reason = `no such key: ${request.headers.authorization}`;
      response.end(JSON.stringify({ error: { type: 'security_exception', reason }, status: 401 }));
    });
    const { of, text } = await doctor({
      REDIS_URL: redisUrl(),
      KEY_PREFIX: keyPrefix(),
      ELASTICSEARCH_URL: echo,
      ELASTICSEARCH_API_KEY: KEY,
    });
    expect(of('credentials')).toContain('[redacted]');
    expect(text).not.toContain(KEY);
  });

  test('does not hang where nobody answers', async () => {
    const mute = await serve(createTcpServer());
    const startedAt = performance.now();
    const { code, of } = await doctor({
      REDIS_URL: `redis://:hunter2@127.0.0.1:${mute}`,
      ELASTICSEARCH_URL: `http://127.0.0.1:${mute}`,
    });
    expect(performance.now() - startedAt).toBeLessThan(9_000);
    expect(code).toBe(1);
    expect(of('redis')).toMatch(/^failed: .*does not answer within 1000 ms$/);
    expect(of('elasticsearch')).toMatch(/^failed: .*no (whole response|answer)/);
  }, 15_000);

  test('tells all that is wrong with the configuration and ends with 78', async () => {
    const wrong = await doctor({ REDIS_URL: 'http://:hunter2@host', CONCURRENCY: 'many' });
    expect({ code: wrong.code, ok: wrong.ok }).toEqual({ code: 78, ok: false });
    expect(wrong.checks.map(({ name, detail }) => [name, detail.split(':')[0]])).toEqual([
      ['configuration', 'REDIS_URL'],
      ['configuration', 'CONCURRENCY'],
    ]);
    expect(wrong.text).not.toContain('hunter2');

    const key = await doctor({ ELASTICSEARCH_API_KEY: 'id:hunter2' });
    expect(key.code).toBe(78);
    expect(key.of('configuration')).toMatch(/^failed: API key: expected its "encoded" form/);
    expect(key.text).not.toContain('hunter2');
  });
});
