import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerOfResponse } from '../../../src/adapters/elasticsearch/answer-of-response.ts';
import { MAX_QUOTED_LENGTH, quoter } from '../../../src/adapters/elasticsearch/quote.ts';
import { connect, envelope, httpServer, never, PRODUCT, UPDATED } from './support.ts';

const keep = quoter([]);
const bodyOf = (text: string, status = 400): unknown =>
  answerOfResponse({ status, headers: { 'x-elastic-product': 'Elasticsearch' }, text }, keep).body;

describe('an error of Elasticsearch', () => {
  test('is read over the wire with its cause', async () => {
    const reason = 'Invalid transition attempt from [pending] to [error].';
    const type = 'connector_sync_job_invalid_status_transition_exception';
    const { url } = await httpServer((_request, response) => {
      response.writeHead(400, PRODUCT).end(envelope(400, 'status_exception', reason, { type, reason }));
    });

    expect(await connect(url).setSyncJobError('job-1', 'x', never)).toEqual({
      kind: 'response',
      status: 400,
      fromElasticsearch: true,
      body: { kind: 'error', type: 'status_exception', reason, causedByType: type },
    });
  });

  test('keeps the status of the response, whatever its body claims', async () => {
    const { url } = await httpServer((_request, response) => {
      response.writeHead(503, PRODUCT).end(envelope(404, 'resource_not_found_exception', 'job-1'));
    });
    expect(await connect(url).setSyncJobError('job-1', 'x', never)).toMatchObject({ status: 503 });
  });

  test('without a reason has an empty one', () => {
    expect(bodyOf('{"error":{"type":"null_pointer_exception","reason":null}}')).toEqual({
      kind: 'error',
      type: 'null_pointer_exception',
      reason: '',
    });
  });

  test('that echoes the whole report is shortened', () => {
    const body = bodyOf(envelope(400, 'document_parsing_exception', `Preview: '${'é'.repeat(40_000)}'`));
    expect(body).toMatchObject({ kind: 'error', reason: expect.stringMatching(/^Preview: 'é+…$/) });
    expect((body as { reason: string }).reason).toHaveLength(MAX_QUOTED_LENGTH);
  });

  test('of the router, which is flat, is quoted and not taken for an envelope', () => {
    expect(bodyOf('{"error":"no handler found for uri [/x] and method [PUT]"}')).toEqual({
      kind: 'unreadable',
      reason: 'no handler found for uri [/x] and method [PUT]',
    });
  });
});

describe('a body of another form', () => {
  const deep = `{"error":${'{"caused_by":'.repeat(40_000)}{}${'}'.repeat(40_000)}}`;
  test.each([
    ['an envelope in an array', `[${envelope(404, 'resource_not_found_exception', 'x')}]`],
    ['a type that is a number', '{"error":{"type":404,"reason":"x"}}'],
    ['a type by inheritance', '{"error":{"__proto__":{"type":"resource_not_found_exception"}}}'],
    ['an error by inheritance', '{"__proto__":{"error":{"type":"resource_not_found_exception"}}}'],
    ['a list of types', '{"error":{"type":["resource_not_found_exception"]}}'],
    ['a type that is a sentence', envelope(404, 'resource_not_found_exception, or so', 'x')],
    ['a type without an end', envelope(404, 'x'.repeat(5_000), 'x')],
    ['a very deep one', deep],
    ['a bare null', 'null'],
    ['a bare text', '"error"'],
    ['an HTML page', '<!doctype html><p>Not Found</p>'],
    ['a cut one', '{"error":{"type":"resource_not_found_exception"'],
    ['nothing', ''],
  ])('is unreadable: %s', async (_name, text) => {
    const { url } = await httpServer((_request, response) => void response.writeHead(404, PRODUCT).end(text));
    expect(await connect(url).setSyncJobError('job-1', 'x', never)).toEqual({
      kind: 'response',
      status: 404,
      fromElasticsearch: true,
      body: { kind: 'unreadable', reason: expect.any(String) },
    });
  });

  test('never throws, and never quotes at length', () => {
    const strange = fc.dictionary(
      fc.constantFrom('error', 'type', 'reason', 'caused_by', 'result', 'status', '__proto__', 'constructor'),
      fc.oneof(fc.string(), fc.jsonValue()),
    );
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      strange.map((value) => JSON.stringify({ error: value })),
      strange.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, fc.integer({ min: 200, max: 599 }), (body, status) => {
        const answer = answerOfResponse({ status, headers: {}, text: body }, keep);
        expect(answer).toMatchObject({ kind: 'response', status, fromElasticsearch: false });
        for (const value of Object.values(answer.body))
          expect(value.length).toBeLessThanOrEqual(MAX_QUOTED_LENGTH);
      }),
    );
  });

  test('does not have its page repeated', () => {
    expect(JSON.stringify(bodyOf('<html>Authorization: ApiKey abc</html>'))).not.toContain('ApiKey');
  });
});

describe('a success', () => {
  test('without the product header is told from one of Elasticsearch', async () => {
    const { url } = await httpServer((_request, response) => void response.writeHead(201).end(UPDATED));
    expect(await connect(url).setSyncJobError('job-1', 'x', never)).toMatchObject({
      kind: 'response',
      status: 201,
      fromElasticsearch: false,
    });
  });

  test('without a body is unreadable', async () => {
    const { url } = await httpServer((_request, response) => void response.writeHead(204, PRODUCT).end());
    expect(await connect(url).setSyncJobError('job-1', 'x', never)).toMatchObject({
      status: 204,
      body: { kind: 'unreadable', reason: 'an empty body' },
    });
  });

  test('that a proxy packed is unpacked, within bounds', async () => {
    const texts = [UPDATED, ' '.repeat(2_000_000)];
    const { url } = await httpServer((_request, response) => {
      response.writeHead(200, { ...PRODUCT, 'content-encoding': 'gzip' }).end(gzipSync(texts.shift() ?? ''));
    });
    const connection = connect(url);

    expect(await connection.setSyncJobError('job-1', 'x', never)).toMatchObject({
      body: { kind: 'result', result: 'updated' },
    });
    expect(await connection.setSyncJobError('job-1', 'x', never)).toMatchObject({
      status: 200,
      body: { kind: 'unreadable' },
    });
  });
});

describe('a quoted text', () => {
  test('holds no secret of the connection, in any form it travels in', async () => {
    const password = 'hunter2-hunter2';
    const apiKey = btoa('key-id:key-secret-part');
    const { url } = await httpServer((request, response) => {
      const said = `you sent ${request.headers.authorization}, that is ${password} and key-secret-part`;
      response.writeHead(400, PRODUCT).end(envelope(400, 'illegal_argument_exception', said));
    });
    const answers = await Promise.all([
      connect(url, { auth: { kind: 'basic', username: 'elastic', password } }).setSyncJobError(
        'a',
        'x',
        never,
      ),
      connect(url, { auth: { kind: 'api-key', apiKey } }).setSyncJobError('a', 'x', never),
      connect(url, { auth: { kind: 'bearer', token: apiKey } }).setSyncJobError('a', 'x', never),
    ]);

    const [basic, key, bearer] = answers.map((answer) => JSON.stringify(answer));
    for (const text of [basic, key, bearer]) expect(text).toContain('[redacted]');
    for (const secret of [password, btoa(`elastic:${password}`)]) expect(basic).not.toContain(secret);
    for (const secret of [apiKey, 'key-secret-part']) expect(key).not.toContain(secret);
    expect(bearer).not.toContain(apiKey);
  });

  test('is not the error type, which no password may change', async () => {
    const auth = { kind: 'basic', username: 'elastic', password: 'exception' } as const;
    const { url } = await httpServer((_request, response) => {
      response.writeHead(404, PRODUCT).end(envelope(404, 'resource_not_found_exception', 'an exception'));
    });
    expect(await connect(url, { auth }).setSyncJobError('job-1', 'x', never)).toMatchObject({
      body: { kind: 'error', type: 'resource_not_found_exception', reason: 'an [redacted]' },
    });
  });

  test('does not end in half a character', () => {
    const text = keep(`${'x'.repeat(MAX_QUOTED_LENGTH - 2)}🦀🦀`);
    expect(text.isWellFormed()).toBe(true);
    expect(text).toBe(`${'x'.repeat(MAX_QUOTED_LENGTH - 2)}…`);
  });
});
