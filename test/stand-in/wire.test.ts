import { once } from 'node:events';
import { connect } from 'node:net';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startStandIn } from '../../src/stand-in/index.ts';
import { failure, setup } from './setup.ts';

const syncJobs = [{ id: 'a', status: 'in_progress' }];
const path = '/_connector/_sync_job/a/_error';

/** Sends bytes as they are and gives back all that comes until the server closes. */
async function exchange(port: number, request: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  return text(socket);
}

describe('the wire', () => {
  it('says nothing that Elasticsearch does not say', async () => {
    const { standIn } = await setup({ syncJobs });
    const answer = await exchange(
      standIn.port,
      `PUT ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{"error":"x"}`,
    );
    expect(answer.toLowerCase().split('\r\n').sort()).toEqual([
      '',
      'connection: close',
      'content-length: 20',
      'content-type: application/json',
      'http/1.1 200 ok',
      'x-elastic-product: elasticsearch',
      '{"result":"updated"}',
    ]);
  });

  it('serves connections that came by another way than its port', async () => {
    const { standIn } = await setup({ syncJobs });
    const request = `GET /_connector/_sync_job/a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`;
    const ask = async (): Promise<string> => {
      const [client, server] = duplexPair();
      standIn.accept(server);
      client.write(request);
      return text(client);
    };
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*"id":"a"/);
    standIn.faults.add({ kind: 'reset', count: 1 });
    expect(await ask()).toBe('');
    expect(standIn.ledger.count({ status: 0 })).toBe(1);
    standIn.faults.add({ kind: 'refuse', forMs: 60_000 });
    expect(await ask()).toBe('');
  });

  it('refuses a body without a type', async () => {
    const { standIn } = await setup({ syncJobs });
    const answer = await exchange(
      standIn.port,
      `PUT ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 13\r\n\r\n{"error":"x"}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 406 /);
    expect(answer).toContain('{"error":"Content-Type header is missing","status":406}');
  });

  it('answers several requests on one connection, in order', async () => {
    const { standIn } = await setup();
    const one = (id: string, close: boolean): string =>
      `GET /_connector/_sync_job/${id} HTTP/1.1\r\nhost: x\r\n${close ? 'connection: close\r\n' : ''}\r\n`;
    const answer = await exchange(standIn.port, one('x1', false) + one('x2', false) + one('x3', true));
    const reasons = [...answer.matchAll(/"reason":"connector sync job \[(x\d)\] not found"\},"status/g)];
    expect(reasons.map((match) => match[1])).toEqual(['x1', 'x2', 'x3']);
  });

  it('unpacks a gzipped body and packs the answer for who asks', async () => {
    const { standIn } = await setup({ syncJobs });
    const body = gzipSync('{"error":"packed"}');
    const response = await fetch(`${standIn.url}${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'accept-encoding': 'gzip' },
      body,
    });
    expect([response.status, response.headers.get('content-encoding')]).toEqual([200, 'gzip']);
    expect(await response.json()).toEqual({ result: 'updated' });
    expect(standIn.syncJob('a')).toMatchObject({ error: 'packed' });
    expect(gunzipSync(body).toString()).toBe('{"error":"packed"}');
    const broken = await fetch(`${standIn.url}${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: '{"error":"x"}',
    });
    expect(broken.status).toBe(400);
  });

  it.each([
    ['announced', `content-length: 200\r\n\r\n${'x'.repeat(200)}`],
    ['in pieces', `transfer-encoding: chunked\r\n\r\nc8\r\n${'x'.repeat(200)}\r\n0\r\n\r\n`],
  ])('refuses a body that is too large, %s, as the network layer does', async (_, rest) => {
    const { standIn } = await setup({ maxContentBytes: 100, syncJobs });
    const answer = await exchange(
      standIn.port,
      `PUT ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${rest}`,
    );
    expect(answer.toLowerCase()).toMatch(/^http\/1\.1 413 /);
    expect(answer).toContain('content-length: 0');
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(answer).not.toContain('lasticsearch');
  });

  it('takes bodies of several megabytes that fit', async () => {
    const { fail } = await setup({ syncJobs });
    const reply = await fail('a', 'x'.repeat(5_000_000));
    expect([reply.status, failure(reply).type]).toEqual([400, 'document_parsing_exception']);
  });

  it('answers HEAD without a body', async () => {
    const { send } = await setup();
    const head = await send('HEAD', '/');
    // An answer to HEAD is never packed, so that its length is that of the plain body.
    const get = await send('GET', '/', { headers: { 'accept-encoding': 'identity' } });
    expect([head.status, head.text]).toEqual([200, '']);
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'));
  });

  it('writes pretty bodies as Elasticsearch does', async () => {
    const { send, fail } = await setup({ syncJobs });
    await fail('a');
    expect(
      (
        await send(
          'GET',
          '/_connector/_sync_job/a?pretty&filter_path=id,metadata,connector.filtering.validation',
        )
      ).text,
    ).toBe(
      '{\n  "id" : "a",\n  "connector" : {\n    "filtering" : {\n      "validation" : {\n        "errors" : [ ],\n' +
        '        "state" : "valid"\n      }\n    }\n  },\n  "metadata" : { }\n}\n',
    );
    expect((await send('GET', '/')).text).toMatch(/^\{\n {2}"name" : /);
    expect((await send('GET', '/?pretty=false')).text).toMatch(/^\{"name":/);
    expect((await send('GET', '/_cluster/health')).text).toContain(
      '"active_shards_percent_as_number":100.0}',
    );
    expect((await send('GET', '/_cluster/health?pretty')).text).toContain(
      '"active_shards_percent_as_number" : 100.0\n',
    );
  });

  it('writes YAML for who asks', async () => {
    const { send } = await setup({ syncJobs });
    const reply = await send(
      'GET',
      '/_connector/_sync_job/a?format=yaml&filter_path=id,connector.filtering.rules.id,connector.filtering.validation',
    );
    expect(reply.headers.get('content-type')).toBe('application/yaml');
    expect(reply.text).toBe(
      '---\nid: "a"\nconnector:\n  filtering:\n    rules:\n    - id: "DEFAULT"\n    validation:\n      errors: []\n      state: "valid"\n',
    );
    expect(
      (await send('GET', '/_connector/_sync_job/none', { headers: { accept: 'application/yaml' } })).text,
    ).toContain('---\nerror:\n');
  });

  it('adds stack traces for who asks', async () => {
    const { send } = await setup();
    const reply = await send('GET', '/_connector/none?error_trace=true');
    expect(reply.body).toMatchObject({
      error: { stack_trace: expect.any(String), root_cause: [{ stack_trace: expect.any(String) }] },
    });
  });

  it.each([
    ['/_connector/%zz', "invalid escape sequence `%zz' at index 0 of: %zz"],
    ['/_connector/a%', 'unterminated escape sequence at end of string: a%'],
    ['/_connector/a%2', 'partial escape sequence at end of string: a%2'],
  ])('refuses the broken escape in %s', async (broken, reason) => {
    const { standIn } = await setup();
    const answer = await exchange(
      standIn.port,
      `GET ${broken} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );
    expect(answer).toContain(JSON.stringify(reason));
  });

  it.each([
    [
      'a request line beyond all bounds',
      `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
      'too_long_http_line_exception',
    ],
    ['bytes that are no request', 'nonsense\r\n\r\n', 'illegal_argument_exception'],
  ])('refuses %s', async (_, request, type) => {
    const { standIn } = await setup();
    const answer = await exchange(standIn.port, request);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain(`"type":"${type}"`);
  });

  it('refuses media types that are none', async () => {
    const { send } = await setup();
    const reply = await send('GET', '/', { headers: { accept: 'nonsense' } });
    expect([reply.status, failure(reply).reason]).toEqual([
      400,
      'Invalid media-type value on headers [Accept]',
    ]);
  });

  it('stops twice, cutting every connection, and frees its port', async () => {
    const { standIn } = await setup();
    const socket = connect(standIn.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    await Promise.all([standIn.stop(), standIn.stop()]);
    await closed;
    await using next = await startStandIn({ port: standIn.port });
    expect(next.port).toBe(standIn.port);
  });

  it('says so when its port is taken', async () => {
    const { standIn } = await setup();
    await expect(startStandIn({ port: standIn.port })).rejects.toThrow('EADDRINUSE');
  });
});
