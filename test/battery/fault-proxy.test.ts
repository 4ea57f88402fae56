import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { seeded } from '../../battery/seeded.ts';
import type { Fault, FaultScope } from '../../battery/stage/fault.ts';
import { type FaultProxy, startFaultProxy } from '../../battery/stage/fault-proxy.ts';

const RESPONSE = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789';
const REQUEST = 'PUT /a HTTP/1.1\r\n\r\n';

/** A proxy in front of a server that answers every piece with the same response, and counts. */
async function setup(): Promise<{ readonly proxy: FaultProxy; readonly served: () => number }> {
  let served = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => {
      served += 1;
      socket.write(RESPONSE);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const proxy = await startFaultProxy({
    upstream: { host: '127.0.0.1', port: address.port },
    random: seeded(1),
    protocol: 'http',
  });
  onTestFinished(async () => {
    await proxy[Symbol.asyncDispose]();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { proxy, served: () => served };
}

interface Heard {
  readonly text: string;
  readonly end: 'open' | 'closed' | string;
  readonly tookMs: number;
}

/** Sends one request, and listens for a while. */
function ask({ port }: FaultProxy, listenMs = 300): Promise<Heard> {
  return new Promise((resolve) => {
    const startedAtMs = performance.now();
    let text = '';
    const socket = connect({ host: '127.0.0.1', port });
    const done = (end: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, end, tookMs: performance.now() - startedAtMs });
    };
    const timer = setTimeout(() => done('open'), listenMs);
    socket.on('connect', () => socket.write(REQUEST));
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (text === RESPONSE) done('open');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'error'));
    socket.on('end', () => done('closed'));
  });
}

async function askWith(
  fault: Fault,
  scope?: FaultScope,
): Promise<Heard & { readonly served: number; readonly after: Heard }> {
  const { proxy, served } = await setup();
  const lift = proxy.strike(fault, scope);
  const heard = await ask(proxy);
  const count = served();
  lift();
  await sleep(50);
  return { ...heard, served: count, after: await ask(proxy) };
}

describe('the fault proxy', () => {
  test('passes everything on where nothing is wrong, and keeps a record', async () => {
    const { proxy, served } = await setup();
    expect(await ask(proxy)).toMatchObject({ text: RESPONSE });
    expect(served()).toBe(1);
    expect(proxy.exchanges).toMatchObject([
      { method: 'PUT', path: '/a', status: 200, bytesBack: RESPONSE.length },
    ]);
  });

  test.each([
    ['refuses', { kind: 'refuse' }, 'ECONNREFUSED', '', 0],
    ['resets', { kind: 'reset' }, 'ECONNRESET', '', 0],
    ['lets nothing through', { kind: 'blackhole' }, 'open', '', 0],
    ['swallows a request', { kind: 'swallow' }, 'open', '', 0],
    ['cuts a response', { kind: 'cut', afterBytes: 20 }, 'closed', RESPONSE.slice(0, 20), 1],
    ['drops the response of what was done', { kind: 'drop-response' }, 'ECONNRESET', '', 1],
    [
      'answers in the place of the server',
      { kind: 'answer', bytes: 'HTTP/1.1 404 No\r\n\r\n' },
      'closed',
      'HTTP/1.1 404 No\r\n\r\n',
      0,
    ],
  ] as const)('%s, and works again afterwards', async (_name, fault, end, text, served) => {
    const heard = await askWith(fault);
    expect(heard).toMatchObject({ end, text, served });
    expect(heard.after.text).toBe(RESPONSE);
  });

  test('is late, and slow', async () => {
    const late = await askWith({ kind: 'delay', delayMs: 100 });
    expect(late.text).toBe(RESPONSE);
    expect(late.tookMs).toBeGreaterThan(95);
    const slow = await askWith({ kind: 'dribble', pieceBytes: 10, everyMs: 20 });
    expect(slow.text).toBe(RESPONSE);
    expect(slow.tookMs).toBeGreaterThan(75);
  });

  test('lets through late what was held', async () => {
    const { proxy, served } = await setup();
    proxy.strike({ kind: 'blackhole' }, { forMs: 100 });
    const heard = await ask(proxy, 1_000);
    expect(heard.text).toBe(RESPONSE);
    expect(heard.tookMs).toBeGreaterThan(80);
    expect(served()).toBe(1);
  });

  test('strikes for a time, and with a chance that the seed decides', async () => {
    const { proxy } = await setup();
    proxy.strike({ kind: 'reset' }, { afterMs: 50, forMs: 100 });
    expect((await ask(proxy)).text).toBe(RESPONSE);
    await sleep(60);
    expect((await ask(proxy)).end).toBe('ECONNRESET');
    await sleep(120);
    expect((await ask(proxy)).text).toBe(RESPONSE);

    const struck = async (): Promise<string> => {
      const { proxy: other } = await setup();
      other.strike({ kind: 'reset' }, { probability: 0.5 });
      const ends: string[] = [];
      for (let n = 0; n < 12; n += 1) ends.push((await ask(other)).end);
      return ends.join(' ');
    };
    const ends = await struck();
    expect(ends).toContain('ECONNRESET');
    expect(ends).toContain('open');
    expect(await struck()).toBe(ends);
  });

  test('shows what passes, and stops it where it is told to', async () => {
    const { proxy, served } = await setup();
    const unwatch = proxy.watch(({ from, text }) =>
      from === 'client' && text.includes('PUT /a') ? 'stop' : 'pass',
    );
    expect((await ask(proxy)).end).toBe('ECONNRESET');
    expect(served()).toBe(0);
    unwatch();
    expect((await ask(proxy)).text).toBe(RESPONSE);
  });
});
