import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { cannedBodies } from '../../src/stand-in/faults/canned-answers.ts';
import { sampleLatency, seededRandom } from '../../src/stand-in/faults/random.ts';
import { type Fault, parseFault, parseFaultText } from '../../src/stand-in/index.ts';
import { setup } from './setup.ts';

const running = [
  { id: 'a', status: 'in_progress' },
  { id: 'b', status: 'in_progress' },
];

/** The bytes a server sends in answer to one request before it closes. */
async function rawAnswer(port: number, path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  return text(socket);
}

describe('faults', () => {
  it.each([
    [401, 'security_exception'],
    [403, 'security_exception'],
    [409, 'version_conflict_engine_exception'],
    [429, 'es_rejected_execution_exception'],
    [500, 'uncategorized_execution_exception'],
    [503, 'unavailable_shards_exception'],
    [507, 'status_exception'],
  ])('answer %i as Elasticsearch does, and do nothing', async (status, type) => {
    const { standIn, fail } = await setup({ syncJobs: running, faults: [{ kind: 'status', status }] });
    const reply = await fail('a');
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ status, error: { type } });
    expect(reply.headers.get('x-elastic-product')).toBe('Elasticsearch');
    expect(standIn.syncJob('a')?.status).toBe('in_progress');
    expect([...standIn.ledger.entries()]).toMatchObject([{ status, fault: 'status' }]);
  });

  it.each([404, 502, 504])('answer %i as a proxy does', async (status) => {
    const { fail } = await setup({ faults: [{ kind: 'status', status }] });
    const reply = await fail('a');
    expect([reply.status, reply.headers.get('content-type'), reply.headers.get('x-elastic-product')]).toEqual(
      [status, 'text/html', null],
    );
  });

  it.each(Object.entries(cannedBodies))(
    'answer with the body %s by name',
    async (body, { status, isElasticsearch }) => {
      const { fail } = await setup({ faults: [{ kind: 'status', status, body }] });
      const reply = await fail('a');
      expect(reply.status).toBe(status);
      expect(reply.headers.has('x-elastic-product')).toBe(isElasticsearch);
      if (isElasticsearch) expect(reply.body).toMatchObject({ status });
    },
  );

  it('speak of the sync job that was asked for', async () => {
    const { fail } = await setup({ faults: [{ kind: 'version-conflict' }] });
    expect((await fail('my "job"')).body).toMatchObject({
      error: { reason: expect.stringContaining('[my "job"]: version conflict') },
    });
  });

  it('strike with a probability that a seed decides', async () => {
    const outcomes = async (seed: number): Promise<string> => {
      const { send } = await setup({ seed, faults: [{ kind: 'status', status: 503, probability: 0.5 }] });
      let result = '';
      for (let at = 0; at < 40; at++) result += (await send('GET', '/')).status === 200 ? '.' : 'x';
      return result;
    };
    const first = await outcomes(7);
    expect(first).toMatch(/x.*\.|\..*x/);
    expect(await outcomes(7)).toBe(first);
    expect(await outcomes(8)).not.toBe(first);
  });

  it('strike so many times, after so many requests, on the method and path they name', async () => {
    const { standIn, send } = await setup();
    const id = standIn.faults.add({
      kind: 'status',
      status: 503,
      count: 2,
      skip: 1,
      method: 'get',
      path: '/_cluster/*h',
    });
    const statuses: number[] = [];
    for (const [method, path] of [
      ['GET', '/'],
      ['PUT', '/_cluster/health'],
      ...Array(5).fill(['GET', '/_cluster/health']),
    ] as [string, string][]) {
      statuses.push((await send(method, path)).status);
    }
    expect(statuses).toEqual([200, 405, 200, 503, 503, 200, 200]);
    expect(standIn.faults.list()).toEqual([]);
    expect(standIn.faults.remove(id)).toBe(false);
  });

  it('begin and end in time', async () => {
    const { standIn, send } = await setup();
    standIn.faults.add({ kind: 'status', status: 503, afterMs: 3_600_000 });
    expect((await send('GET', '/')).status).toBe(200);
    standIn.faults.clear();
    standIn.faults.add({ kind: 'status', status: 503, forMs: 0 });
    expect((await send('GET', '/')).status).toBe(200);
    expect(standIn.faults.list()).toEqual([]);
  });

  it('can be listed and removed', async () => {
    const { standIn, send } = await setup();
    const fault: Fault = { kind: 'status', status: 500 };
    const id = standIn.faults.add(fault);
    await send('GET', '/');
    expect(standIn.faults.list()).toEqual([{ id, fault, struck: 1 }]);
    expect(standIn.faults.remove(id)).toBe(true);
    expect((await send('GET', '/')).status).toBe(200);
  });

  it('make answers late', async () => {
    const { standIn, send } = await setup({
      faults: [{ kind: 'latency', latency: { distribution: 'fixed', ms: 30 } }],
    });
    await send('GET', '/');
    const [entry] = standIn.ledger.entries();
    expect(entry).toMatchObject({ status: 200, fault: 'latency' });
    expect(entry?.durationMs).toBeGreaterThanOrEqual(29);
  });

  it('draw latencies from distributions', () => {
    const random = seededRandom(1);
    const draw = (latency: Parameters<typeof sampleLatency>[0]): number[] =>
      Array.from({ length: 4001 }, () => sampleLatency(latency, random)).sort((a, b) => a - b);
    const uniform = draw({ distribution: 'uniform', minMs: 10, maxMs: 20 });
    expect([uniform[0], uniform.at(-1)].every((ms) => ms !== undefined && ms >= 10 && ms < 20)).toBe(true);
    const logNormal = draw({ distribution: 'log-normal', medianMs: 100, sigma: 1, maxMs: 1000 });
    expect(logNormal[2000]).toBeGreaterThan(90);
    expect(logNormal[2000]).toBeLessThan(110);
    expect(logNormal.at(-1)).toBe(1000);
  });

  it('limit the rate, and say when to come back', async () => {
    const { standIn, send } = await setup();
    const ask = async (retryAfter?: number | string): Promise<(number | string | null)[]> => {
      standIn.faults.clear();
      standIn.faults.add({
        kind: 'rate-limit',
        perSecond: 0.001,
        burst: 1,
        ...(retryAfter === undefined ? {} : { retryAfter }),
      });
      await send('GET', '/');
      const { status, headers } = await send('GET', '/');
      return [status, headers.get('retry-after')];
    };
    expect(await ask()).toEqual([429, null]);
    expect(await ask(3)).toEqual([429, '3']);
    expect(await ask('soon')).toEqual([429, 'soon']);
    const [, date] = await ask('date:60');
    expect(Date.parse(String(date)) - Date.now()).toBeGreaterThan(50_000);
  });

  it('refuse connections for a while, on the same port', async () => {
    const { standIn, send } = await setup();
    await send('GET', '/');
    standIn.faults.add({ kind: 'refuse', forMs: 3_600_000 });
    await expect(send('GET', '/')).rejects.toThrow();
    expect(standIn.faults.list()).toMatchObject([{ fault: { kind: 'refuse' }, struck: 1 }]);
    standIn.faults.clear();
    const listening = async (): Promise<number> => send('GET', '/').then((reply) => reply.status, listening);
    expect(await listening()).toBe(200);
  });

  it('let the server stop while it refuses', async () => {
    const { standIn } = await setup({ faults: [{ kind: 'refuse', forMs: 3_600_000 }] });
    await standIn.stop();
    await standIn.stop();
  });

  it('reset connections without doing anything', async () => {
    const { standIn, fail } = await setup({ syncJobs: running, faults: [{ kind: 'reset' }] });
    await expect(fail('a')).rejects.toThrow();
    expect(standIn.syncJob('a')?.status).toBe('in_progress');
    expect([...standIn.ledger.entries()]).toMatchObject([{ status: 0, fault: 'reset' }]);
  });

  it('lose the answer after the work is done', async () => {
    const { standIn, fail } = await setup({
      syncJobs: running,
      faults: [{ kind: 'lose-response', count: 1 }],
    });
    await expect(fail('a')).rejects.toThrow();
    expect(standIn.syncJob('a')).toMatchObject({ status: 'error', error: 'boom' });
    expect((await fail('a')).status).toBe(400);
  });

  it('never answer, and let the server stop all the same', async () => {
    const { standIn } = await setup({ faults: [{ kind: 'blackhole' }] });
    const socket = connect(standIn.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    while (standIn.ledger.total === 0) await new Promise(setImmediate);
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    await standIn.stop();
    await closed;
    expect(socket.bytesRead).toBe(0);
  });

  it('cut the answer after so many bytes', async () => {
    const { standIn } = await setup({ faults: [{ kind: 'cut', afterBytes: 5 }] });
    const answer = await rawAnswer(standIn.port, '/_cluster/health');
    expect(answer).toContain('\r\n\r\n{"clu');
    expect(answer.split('\r\n\r\n')[1]).toBe('{"clu');
    expect(answer).toMatch(/content-length: \d{3}\r\n/);
  });

  it('cut the answer before its first byte', async () => {
    const { standIn } = await setup({ faults: [{ kind: 'cut', afterBytes: 0 }] });
    expect((await rawAnswer(standIn.port, '/_cluster/health')).endsWith('\r\n\r\n')).toBe(true);
  });

  it('promise more than they send', async () => {
    const { standIn, send } = await setup({ faults: [{ kind: 'wrong-content-length', difference: 7 }] });
    const answer = await rawAnswer(standIn.port, '/_cluster/health');
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(Number(/content-length: (\d+)/.exec(head)?.[1]) - body.length).toBe(7);
    await expect(send('GET', '/')).rejects.toThrow();
  });

  it('answer with a page, a huge body, or another product', async () => {
    const { standIn, send, fail } = await setup({ syncJobs: running });
    standIn.faults.add({ kind: 'html', count: 1 });
    const page = await fail('a');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(standIn.syncJob('a')?.status).toBe('in_progress');
    standIn.faults.add({ kind: 'huge-body', bytes: 3_000_000, count: 1 });
    expect((await fail('a')).text).toHaveLength(3_000_000);
    expect(standIn.syncJob('a')?.status).toBe('error');
    standIn.faults.add({ kind: 'product-header', value: 'OpenSearch', count: 1 });
    expect((await send('GET', '/')).headers.get('x-elastic-product')).toBe('OpenSearch');
  });

  it('block writes and let reads through', async () => {
    const { standIn, send, fail } = await setup({ syncJobs: running });
    standIn.faults.add({ kind: 'read-only' });
    expect(await fail('a')).toMatchObject({
      status: 403,
      body: { error: { type: 'cluster_block_exception' } },
    });
    expect((await send('GET', '/_connector/_sync_job/a')).status).toBe(200);
    standIn.faults.clear();
    standIn.faults.add({ kind: 'read-only', floodStage: true });
    expect(await fail('a')).toMatchObject({
      status: 429,
      body: { error: { type: 'cluster_block_exception' } },
    });
    standIn.faults.clear();
    standIn.faults.add({ kind: 'auth-loss' });
    expect((await fail('a')).headers.get('www-authenticate')).toContain('ApiKey');
  });

  it('add up their waits, while the first of the others wins', async () => {
    const { standIn, send } = await setup();
    standIn.faults.add({ kind: 'latency', latency: { distribution: 'fixed', ms: 10 } });
    standIn.faults.add({ kind: 'status', status: 500 });
    standIn.faults.add({ kind: 'status', status: 503 });
    standIn.faults.add({ kind: 'latency', latency: { distribution: 'fixed', ms: 10 } });
    expect((await send('GET', '/')).status).toBe(500);
    expect([...standIn.ledger.entries()][0]?.durationMs).toBeGreaterThanOrEqual(19);
  });
});

describe('reading faults', () => {
  it.each([
    ['reset', { kind: 'reset' }],
    [
      'status:status=503,probability=0.1,path=_error',
      { kind: 'status', status: 503, probability: 0.1, path: '_error' },
    ],
    [
      'latency:ms=20,method=PUT',
      { kind: 'latency', method: 'PUT', latency: { distribution: 'fixed', ms: 20 } },
    ],
    [
      'latency:minMs=1,maxMs=2',
      { kind: 'latency', latency: { distribution: 'uniform', minMs: 1, maxMs: 2 } },
    ],
    [
      'latency:medianMs=30,sigma=0.8',
      { kind: 'latency', latency: { distribution: 'log-normal', medianMs: 30, sigma: 0.8 } },
    ],
    ['product-header:value=null', { kind: 'product-header', value: null }],
    ['rate-limit:perSecond=5,retryAfter=date:3', { kind: 'rate-limit', perSecond: 5, retryAfter: 'date:3' }],
  ])('takes %s', (written, fault) => {
    expect(parseFaultText(written)).toEqual(fault);
  });

  it.each([
    ['quake', /kind must be one of status, latency/],
    ['status', /status: is missing/],
    ['status:status=99', /status: must be from 200 to 599/],
    ['status:status=503,body=none', /body: must be one of/],
    ['reset:probability=2', /probability: must be from 0 to 1/],
    ['reset:often=1', /often: unknown for reset/],
    ['reset:count', /expected name=value, got count/],
    ['refuse', /forMs: is missing/],
    ['latency:sigma=1', /latency: ms must be a number from 0/],
    ['cut:afterBytes=-1', /afterBytes: must not be below 0/],
  ])('refuses %s', (written, message) => {
    expect(() => parseFaultText(written)).toThrow(message);
  });

  it('refuses what is no object', () => {
    expect(() => parseFault(null)).toThrow('expected an object');
    expect(() => parseFault({ kind: 'constructor' })).toThrow('kind must be one of');
  });
});
