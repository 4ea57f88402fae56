import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { connect, freePort, httpServer, listen, never, PRODUCT, rawServer, UPDATED } from './support.ts';

const OK = 'HTTP/1.1 200 OK\r\nX-elastic-product: Elasticsearch\r\nContent-Type: application/json\r\n';

const both = async (url: string, options: Parameters<typeof connect>[1] = {}): Promise<unknown[]> => {
  const connection = connect(url, options);
  const readBack = await connection.readSyncJob('job-1', never);
  return [
    await connection.setSyncJobError('job-1', 'x', never),
    'answer' in readBack ? readBack.answer : readBack,
  ];
};

describe('nothing was sent', () => {
  test('where the connection is refused', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    for (const answer of await both(url)) {
      expect(answer).toMatchObject({
        kind: 'not-sent',
        cause: 'unreachable',
        type: 'ECONNREFUSED',
        reason: expect.stringContaining('ECONNREFUSED'),
      });
    }
  });

  test('where every address of the host refuses', async () => {
    const [answer] = await both(`http://localhost:${await freePort()}`);
    expect(answer).toMatchObject({
      kind: 'not-sent',
      type: 'ECONNREFUSED',
      reason: expect.stringMatching(/./),
    });
  });

  test('where the name is unknown', async () => {
    const [answer] = await both('http://nobody.invalid:9200');
    expect(answer).toMatchObject({ kind: 'not-sent', cause: 'unreachable' });
  });

  test('where the time is over before there is a connection', async () => {
    // Accepts TCP and never answers the TLS handshake.
    const url = (await rawServer(() => {})).replace('http:', 'https:');
    for (const answer of await both(url, { requestTimeoutMs: 60 })) {
      expect(answer).toMatchObject({ kind: 'not-sent', cause: 'unreachable' });
    }
  });

  test('where the server does not speak TLS', async () => {
    const { url } = await httpServer();
    const [answer] = await both(url.replace('http:', 'https:'));
    expect(answer).toMatchObject({ kind: 'not-sent', cause: 'tls' });
  });
});

describe('the request may have been carried out', () => {
  const faults: [string, (socket: Socket) => void][] = [
    ['the connection is reset', (socket) => socket.resetAndDestroy()],
    ['the connection is closed', (socket) => socket.end()],
    ['the response is no HTTP', (socket) => socket.end('hello there\r\n\r\n')],
    ['the headers are cut', (socket) => socket.end(OK)],
    ['the body is cut', (socket) => socket.end(`${OK}Content-Length: 20\r\n\r\n{"result":`)],
    ['the body is shorter than said', (socket) => socket.end(`${OK}Content-Length: 21\r\n\r\n${UPDATED}`)],
    ['a chunked body is cut', (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n14\r\n{"res`)],
    [
      'another protocol is offered',
      (socket) => socket.end('HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ],
    ['the headers have no end', (socket) => socket.write(`${OK}X-Long: ${'x'.repeat(20_000)}\r\n`)],
  ];

  test.each(faults)('where %s', async (_name, fault) => {
    for (const answer of await both(await rawServer(fault))) {
      expect(answer).toEqual({ kind: 'lost', type: expect.any(String), reason: expect.any(String) });
    }
  });

  const delays: [string, string][] = [
    ['no response comes', ''],
    ['the headers do not end', OK],
    ['the body does not end', `${OK}Content-Length: 20\r\n\r\n{`],
  ];

  test.each(delays)('where %s in time', async (_name, text) => {
    const url = await rawServer((socket) => void socket.write(text));
    for (const answer of await both(url, { requestTimeoutMs: 60 })) {
      expect(answer).toEqual({ kind: 'lost', type: 'timeout', reason: 'no whole response within 60 ms' });
    }
  });
});

describe('an interruption', () => {
  test('ends the request and its connection', async () => {
    const abort = new AbortController();
    const socketClosed = Promise.withResolvers<void>();
    const url = await rawServer((socket) => {
      socket.once('close', () => socketClosed.resolve());
      abort.abort();
    });

    const answer = await connect(url).setSyncJobError('job-1', 'x', abort.signal);

    expect(answer).toEqual({ kind: 'interrupted' });
    await socketClosed.promise;
  });

  test('before the call sends nothing', async () => {
    const { url, requests } = await httpServer();
    const connection = connect(url);

    expect(await connection.setSyncJobError('job-1', 'x', AbortSignal.abort())).toEqual({
      kind: 'interrupted',
    });
    expect(await connection.readSyncJob('job-1', AbortSignal.abort())).toEqual({
      kind: 'unknown',
      answer: { kind: 'interrupted' },
    });
    expect(requests).toHaveLength(0);
  });

  test('while connecting sends nothing, and leaves no connection behind', async () => {
    const abort = new AbortController();
    const connected = Promise.withResolvers<Socket>();
    const server = createServer().on('connection', (socket: Socket) => connected.resolve(socket));
    const port = await listen(server);
    const connection = connect(`https://127.0.0.1:${port}`);
    const answer = connection.setSyncJobError('job-1', 'x', abort.signal);
    const socket = await connected.promise;

    abort.abort();

    expect(await answer).toEqual({ kind: 'interrupted' });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await connection.close();
    await closed;
  });

  test('is not what a timeout makes of other requests under the same signal', async () => {
    const { signal } = new AbortController();
    const held = Promise.withResolvers<() => void>();
    const { url } = await httpServer((request, response) => {
      if (request.url?.includes('slow') === true) {
        held.resolve(() => void response.writeHead(200, PRODUCT).end(UPDATED));
      }
    });
    const slow = connect(url).setSyncJobError('slow', 'x', signal);
    const release = await held.promise;

    const timedOut = await connect(url, { requestTimeoutMs: 60 }).setSyncJobError('lost', 'x', signal);
    release();

    expect(timedOut).toMatchObject({ kind: 'lost', type: 'timeout' });
    expect(await slow).toMatchObject({ kind: 'response', status: 200 });
  });
});

describe('a response that cannot be read', () => {
  const bodies: [string, string, RegExp][] = [
    ['is too long by its header', `${OK}Content-Length: 10000000\r\n\r\n{"res`, /more than 1000 bytes/],
    [
      'is too long in chunks',
      `${OK}Transfer-Encoding: chunked\r\n\r\n800\r\n${'x'.repeat(2_048)}`,
      /more than 1000/,
    ],
    [
      'claims to be packed',
      `${OK}Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n${UPDATED}`,
      /encoding/,
    ],
    [
      'is packed in an unknown way',
      `${OK}Content-Encoding: br\r\nContent-Length: 20\r\n\r\n${UPDATED}`,
      /encoding/,
    ],
    ['is shorter than it is', `${OK}Content-Length: 5\r\n\r\n${UPDATED}`, /not JSON \(5 characters\)/],
    ['is empty', `${OK}Content-Length: 0\r\n\r\n`, /empty/],
  ];

  test.each(bodies)('keeps its status where it %s', async (_name, text, reason) => {
    const url = await rawServer((socket) => void socket.write(text));
    for (const answer of await both(url, { maxResponseBytes: 1_000 })) {
      expect(answer).toEqual({
        kind: 'response',
        status: 200,
        fromElasticsearch: true,
        body: { kind: 'unreadable', reason: expect.stringMatching(reason) },
      });
    }
  });

  test('is not read to its end', async () => {
    let sent = 0;
    const closed = Promise.withResolvers<void>();
    const chunk = Buffer.alloc(65_536, ' ');
    const url = await rawServer((socket) => {
      socket.on('close', () => closed.resolve());
      socket.write(`${OK}\r\n`);
      const pour = (): void => {
        while (!socket.destroyed && sent < 50_000_000) {
          sent += chunk.length;
          if (!socket.write(chunk)) {
            socket.once('drain', pour);
            return;
          }
        }
      };
      pour();
    });

    const answer = await connect(url, { maxResponseBytes: 10_000 }).setSyncJobError('job-1', 'x', never);

    expect(answer).toMatchObject({ kind: 'response', body: { kind: 'unreadable' } });
    await closed.promise;
    expect(sent).toBeLessThan(20_000_000);
  });

  test('keeps Retry-After, the first one where there are several', async () => {
    const url = await rawServer((socket) => {
      socket.write('HTTP/1.1 429 X\r\nRetry-After: 7\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n');
    });
    const [answer] = await both(url);
    expect(answer).toMatchObject({ status: 429, fromElasticsearch: false, retryAfter: '7' });
  });

  test('is not what an announcement before it makes of it', async () => {
    const url = await rawServer((socket) => {
      socket.write(`HTTP/1.1 103 Early\r\nLink: x\r\n\r\n${OK}Content-Length: 20\r\n\r\n${UPDATED}`);
    });
    const [answer] = await both(url);
    expect(answer).toMatchObject({ status: 200, body: { kind: 'result', result: 'updated' } });
  });
});
