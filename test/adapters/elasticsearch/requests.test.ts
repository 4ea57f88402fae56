import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect, envelope, httpServer, never, PRODUCT, rawServer, UPDATED } from './support.ts';

describe('a request', () => {
  test('sets the error of one sync job, as plain JSON that every version understands', async () => {
    const { url, requests } = await httpServer();

    const answer = await connect(url).setSyncJobError('job-1', 'it broke: "ü"\n', never);

    expect(answer).toEqual({
      kind: 'response',
      status: 200,
      fromElasticsearch: true,
      body: { kind: 'result', result: 'updated' },
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      method: 'PUT',
      path: '/_connector/_sync_job/job-1/_error',
      body: JSON.stringify({ error: 'it broke: "ü"\n' }),
      headers: { accept: 'application/json', 'content-type': 'application/json' },
    });
    expect(requests[0]?.headers).not.toHaveProperty('authorization');
    expect(requests[0]?.headers).not.toHaveProperty('accept-encoding');
  });

  test('that only reads names no other media type either', async () => {
    const { url, requests } = await httpServer();
    const connection = connect(url);

    await connection.readSyncJob('job-1', never);
    await connection.ping(never);

    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /_connector/_sync_job/job-1',
      'GET /',
    ]);
    for (const { headers } of requests) {
      expect(headers).toMatchObject({ accept: 'application/json', 'content-type': 'application/json' });
    }
  });

  test('is made once, whatever is answered', async () => {
    for (const status of [301, 307, 408, 429, 500, 502, 503, 504]) {
      const { url, requests } = await httpServer((_request, response) => {
        response.writeHead(status, { location: '/elsewhere' }).end();
      });

      const answer = await connect(url).setSyncJobError('job-1', 'x', never);

      expect(answer).toMatchObject({ kind: 'response', status });
      expect(requests).toHaveLength(1);
    }
  });

  test('keeps the path that stands in front of the API', async () => {
    const { url, requests } = await httpServer();

    await connect(`${url}/behind/proxy/`).setSyncJobError('job-1', 'x', never);

    expect(requests[0]?.path).toBe('/behind/proxy/_connector/_sync_job/job-1/_error');
  });

  test.each([
    ['an API key', { kind: 'api-key', apiKey: 'aWQ6c2VjcmV0LWtleQ==' }, 'ApiKey aWQ6c2VjcmV0LWtleQ=='],
    ['a user', { kind: 'basic', username: 'elastic', password: 'pä:ss' }, `Basic ${btoa('elastic:pÃ¤:ss')}`],
    ['a token', { kind: 'bearer', token: 'eyJhbGciOi.x.y' }, 'Bearer eyJhbGciOi.x.y'],
  ] as const)('carries %s', async (_name, auth, header) => {
    const { url, requests } = await httpServer();

    await connect(url, { auth }).setSyncJobError('job-1', 'x', never);

    expect(requests[0]?.headers.authorization).toBe(header);
  });

  test('carries a user and password out of the address', async () => {
    const { url, requests } = await httpServer();

    await connect(url.replace('://', '://elastic:p%40ss%2Fword@')).setSyncJobError('job-1', 'x', never);

    expect(requests[0]?.headers.authorization).toBe(`Basic ${btoa('elastic:p@ss/word')}`);
    expect(requests[0]?.path).toBe('/_connector/_sync_job/job-1/_error');
  });
});

describe('a path', () => {
  test('stays within its sync job, whatever the id', async () => {
    const { url, requests } = await httpServer();
    const connection = connect(url);
    const hostile = fc.constantFrom(
      ...[
        'a/b/c',
        '../..',
        '..%2f..',
        '%2e%2e',
        './',
        '/',
        '//',
        '\\..\\',
        '\r\nHost: x',
        '\0',
        ' ',
        '?x#y',
        '...',
      ],
      ...[
        'http://evil/',
        '%',
        '%zz',
        ';a=b',
        '_error',
        '🦀',
        'ä\u0301',
        '\u2028',
        "'()*!~",
        'a?filter_path=x',
      ],
    );
    const id = fc
      .oneof(
        hostile,
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.string({ unit: 'binary', minLength: 1 }),
      )
      .filter((text) => text.isWellFormed() && text !== '.' && text !== '..' && text.length <= 512);

    await fc.assert(
      fc.asyncProperty(id, async (connectorSyncJobId) => {
        requests.length = 0;
        await connection.setSyncJobError(connectorSyncJobId, 'x', never);
        await connection.readSyncJob(connectorSyncJobId, never);

        expect(requests).toHaveLength(2);
        const [put, get] = requests.map(({ path }) => path?.split('/') ?? []);
        expect(put).toEqual(['', '_connector', '_sync_job', expect.any(String), '_error']);
        expect(get).toEqual(put?.slice(0, 4));
        const segment = put?.[3] ?? '';
        expect(decodeURIComponent(segment)).toBe(connectorSyncJobId);
        // A URL parser on the way must find the same segment, not a step up or the start of a query.
        expect(new URL(put?.join('/') ?? '', url).pathname).toBe(put?.join('/'));
      }),
      { numRuns: 200 },
    );
  });

  test.each(['', '.', '..', '\ud800'])('is not even made for the id %j', async (id) => {
    const { url, requests } = await httpServer();
    const connection = connect(url);

    const answers = [
      await connection.setSyncJobError(id, 'x', never),
      await connection.readSyncJob(id, never),
    ];

    expect(answers[0]).toMatchObject({ kind: 'not-sent', type: 'invalid_id' });
    expect(answers[1]).toMatchObject({ kind: 'unknown', answer: { kind: 'not-sent', type: 'invalid_id' } });
    expect(requests).toHaveLength(0);
  });
});

describe('connections', () => {
  test('are kept and used again', async () => {
    const { url, requests, connections } = await httpServer();
    const connection = connect(url);

    for (let i = 0; i < 10; i += 1) await connection.setSyncJobError(`job-${i}`, 'x', never);

    expect(requests).toHaveLength(10);
    // The second is opened where a request follows before the first connection is known to be free again.
    expect(connections()).toBeLessThanOrEqual(2);
  });

  test('may share one signal in any number without a warning', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const { url, requests } = await httpServer();
    const connection = connect(url);
    const { signal } = new AbortController();

    await Promise.all(
      Array.from({ length: 100 }, (_, i) => connection.setSyncJobError(`job-${i}`, 'x', signal)),
    );
    await new Promise(setImmediate);

    expect(requests).toHaveLength(100);
    expect(warnings).toEqual([]);
  });

  test('are all closed by close, which may be repeated and lets open requests end', async () => {
    const held: (() => void)[] = [];
    const { url, server, requests } = await httpServer((_request, response) => {
      held.push(() => void response.writeHead(200, PRODUCT).end(UPDATED));
    });
    const connection = connect(url);
    const arrived = Promise.all([0, 1].map(() => new Promise((resolve) => server.once('request', resolve))));
    const open = [connection.setSyncJobError('a', 'x', never), connection.setSyncJobError('b', 'x', never)];
    await arrived;
    while (held.length < 2) await new Promise(setImmediate);

    const closed = Promise.all([connection.close(), connection.close()]);
    for (const release of held) release();

    expect(await Promise.all(open)).toMatchObject([{ status: 200 }, { status: 200 }]);
    await closed;
    await new Promise((resolve) => server.close(resolve));
    expect(await connection.setSyncJobError('c', 'x', never)).toMatchObject({ kind: 'not-sent' });
    expect(await connection.ping(never)).toMatchObject({ kind: 'down' });
    expect(requests).toHaveLength(2);
    await connection.close();
  });

  test('keep no process running once they are closed', async () => {
    const module = new URL('../../../src/adapters/elasticsearch/connector-api.ts', import.meta.url).href;
    const [answering, silent] = [(await httpServer()).url, await rawServer(() => {})];
    const script = `
      import { connectElasticsearch } from ${JSON.stringify(module)};
      const options = { requestTimeoutMs: 3_600_000, maxResponseBytes: 1_000 };
      const nodes = ${JSON.stringify([answering, silent, silent.replace('http:', 'https:')])};
      const connections = nodes.map((node) => connectElasticsearch({ ...options, nodes: [node] }));
      const abort = new AbortController();
      const answers = connections.map((one) => one.setSyncJobError('job-1', 'x', abort.signal));
      await answers[0];
      abort.abort();
      await Promise.all(answers);
      await Promise.all(connections.map((one) => one.close()));
      console.log(await Promise.all(answers.map(async (answer) => (await answer).kind)));
    `;

    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 20_000,
    });

    expect(stdout).toContain("[ 'response', 'interrupted', 'interrupted' ]");
  });

  test('are closed where their owner goes out of scope', async () => {
    const { url, server } = await httpServer();
    {
      await using connection = connect(url);
      await connection.ping(never);
    }
    // Would wait for the kept connection, were it still there.
    await new Promise((resolve) => server.close(resolve));
    expect(server.listening).toBe(false);
  });
});

describe('ping', () => {
  test.each([
    ['Elasticsearch answers', 200, PRODUCT, '{"name":"node"}'],
    [
      'the key may not ask',
      403,
      PRODUCT,
      envelope(403, 'security_exception', 'action [main] is unauthorized'),
    ],
  ])('says up where %s', async (_name, status, headers, body) => {
    const { url } = await httpServer(
      (_request, response) => void response.writeHead(status, headers).end(body),
    );
    expect(await connect(url).ping(never)).toEqual({ kind: 'up' });
  });

  test.each([
    [
      'the credentials are refused',
      401,
      PRODUCT,
      envelope(401, 'security_exception', 'unable'),
      /401.*unable/,
    ],
    [
      'Elasticsearch cannot serve',
      503,
      PRODUCT,
      envelope(503, 'cluster_block_exception', 'state'),
      /503.*state/,
    ],
    ['something else answers', 200, {}, '{"name":"node"}', /not from Elasticsearch/],
    ['a proxy answers', 502, {}, '<html>', /502, not from Elasticsearch/],
  ])('says down, and why, where %s', async (_name, status, headers, body, reason) => {
    const { url } = await httpServer(
      (_request, response) => void response.writeHead(status, headers).end(body),
    );
    expect(await connect(url).ping(never)).toEqual({ kind: 'down', reason: expect.stringMatching(reason) });
  });

  test('says down where it is interrupted', async () => {
    const { url } = await httpServer();
    expect(await connect(url).ping(AbortSignal.abort())).toEqual({ kind: 'down', reason: 'interrupted' });
  });
});
