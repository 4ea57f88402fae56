/** What a producer is told, and how soon, while its Redis is away, refuses or is full. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RedisUnavailable } from '../../../src/adapters/bullmq/connect-redis.ts';
import { startRedisServer } from '../../../src/adapters/redis-embedded/start-redis-server.ts';
import { readConfig } from '../../../src/config.ts';
import { openRelay, type Relay } from '../../../src/relay.ts';
import { report } from '../../support/queue-setup.ts';
import { keyPrefix, redisUrl, startOwnRedis } from '../../support/redis.ts';
import { error, handshake, listen, scriptedRedis } from '../../support/scripted-redis.ts';
import { until } from '../../support/wait.ts';
import { makeCertificate } from '../elasticsearch/certificates.ts';

/** The timeout is a second; what the machine takes beyond it is not the relay's. */
const SOON_MS = 1_500;

const SECRET = 'hunter2';

function relayTo(url: string, env: Readonly<Record<string, string>> = {}): Relay {
  const relay = openRelay(readConfig({ REDIS_URL: url, ...env }));
  onTestFinished(() => relay.close());
  return relay;
}

function operatorOf(url: string): Redis {
  const operator = new Redis(url);
  onTestFinished(() => operator.disconnect());
  return operator;
}

/** The failure of a call that has to fail, soon and without the password. */
async function failureOf(call: () => Promise<unknown>): Promise<RedisUnavailable> {
  const startedAt = performance.now();
  const failure = await call().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(performance.now() - startedAt).toBeLessThan(SOON_MS);
  expect(failure).toBeInstanceOf(RedisUnavailable);
  expect((failure as Error).message).not.toContain(SECRET);
  return failure as RedisUnavailable;
}

async function serve(server: Server, onSocket: (socket: Socket) => void = () => undefined): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return await listen(server);
}

/** A port whose host drops every attempt to connect: the process is stopped, and its queue of connections full. */
async function blackHole(): Promise<number> {
  const script = `require('net').createServer().listen({port: 0, host: '127.0.0.1', backlog: 1}, function () { console.log(this.address().port) })`;
  const child: ChildProcess = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  if (child.stdout === null) throw new Error('no standard output');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  onTestFinished(() => {
    for (const filler of fillers) filler.destroy();
  });
  await until('some of them hang', () => fillers.filter(({ connecting }) => !connecting).length >= 2);
  return port;
}

describe('a producer is told within a second', () => {
  test.each<[string, () => Promise<string> | string, RegExp]>([
    [
      'that nobody listens',
      () => `redis://user:${SECRET}@127.0.0.1:9`,
      /^Redis at 127\.0\.0\.1:9 does not answer: connect ECONNREFUSED/,
    ],
    [
      'that the name leads nowhere',
      () => `redis://user:${SECRET}@no-such-host.invalid:6379`,
      /^Redis at no-such-host\.invalid:6379 does not answer: its name cannot be resolved/,
    ],
    [
      'that no connection comes about',
      async () => `redis://:${SECRET}@127.0.0.1:${await blackHole()}`,
      /does not answer: no connection in time \(ETIMEDOUT\)$/,
    ],
    [
      'that whoever listens says nothing',
      async () => `redis://:${SECRET}@127.0.0.1:${await serve(createServer())}`,
      /does not answer within 1000 ms$/,
    ],
    [
      'that whoever listens is not Redis',
      async () => {
        const answer = (socket: Socket) =>
          socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
        return `redis://:${SECRET}@127.0.0.1:${await serve(createServer(), answer)}`;
      },
      /does not answer: what answers there is not Redis$/,
    ],
    [
      'that the connection is closed at once',
      async () => `redis://:${SECRET}@127.0.0.1:${await serve(createServer(), (socket) => socket.destroy())}`,
      /does not answer: it ends the connection at once/,
    ],
    [
      'that TLS is spoken where none is asked for',
      async () => {
        const { keyPem: key, pem: cert } = makeCertificate({ name: 'redis', address: '127.0.0.1' });
        // As Redis does it; Node by itself leaves the connection open.
        const server = createTlsServer({ key, cert }).on('tlsClientError', (_, socket) => socket.destroy());
        return `redis://:${SECRET}@127.0.0.1:${await serve(server)}`;
      },
      /rediss:\/\/ is for it$/,
    ],
    [
      'that no TLS is spoken where it is asked for',
      () => redisUrl().replace('redis://', `rediss://:${SECRET}@`),
      /redis:\/\/ is for it$/,
    ],
    [
      'that the certificate is nobody’s',
      async () => {
        const { keyPem: key, pem: cert } = makeCertificate({ name: 'redis', address: '127.0.0.1' });
        return `rediss://:${SECRET}@127.0.0.1:${await serve(createTlsServer({ key, cert }))}`;
      },
      /its certificate or TLS is not accepted \(self-signed certificate.*NODE_EXTRA_CA_CERTS/,
    ],
    [
      'that the user is not known',
      () => redisUrl().replace('redis://', `redis://nobody:${SECRET}@`),
      /cannot be used: it refuses the user or the password in REDIS_URL$/,
    ],
  ])('%s', async (_what, url, message) => {
    const relay = relayTo(await url());
    expect((await failureOf(() => relay.report(report()))).message).toMatch(message);
    // And again, over a connection that is known to be gone.
    expect((await failureOf(() => relay.report(report()))).message).toMatch(/^Redis at /);
  });

  test('that a password is asked for, and that it is the wrong one', async () => {
    const own = await startOwnRedis();
    await operatorOf(own.url).config('SET', 'requirepass', 'right');
    const without = relayTo(own.url);
    expect((await failureOf(() => without.report(report()))).message).toBe(
      `Redis at 127.0.0.1:${own.port} cannot be used: it asks for a password, and REDIS_URL holds none`,
    );
    const wrong = relayTo(own.url.replace('redis://', `redis://:${SECRET}@`));
    expect((await failureOf(() => wrong.report(report()))).message).toBe(
      `Redis at 127.0.0.1:${own.port} cannot be used: it refuses the user or the password in REDIS_URL`,
    );
  });

  test('that the user may not do it', async () => {
    const own = await startOwnRedis();
    await operatorOf(own.url).acl('SETUSER', 'reader', 'on', `>${SECRET}`, '~*', '+@all', '-@scripting');
    const relay = relayTo(own.url.replace('redis://', `redis://reader:${SECRET}@`));
    expect((await failureOf(() => relay.report(report()))).message).toMatch(
      /cannot be used: the user in REDIS_URL may not do what is needed \(NOPERM .*; the report was not accepted/,
    );
  });

  test('that it is a replica, and is served again once it is not', async () => {
    const own = await startOwnRedis();
    const operator = operatorOf(own.url);
    await operator.replicaof('127.0.0.1', '1');
    const relay = relayTo(own.url);
    expect((await failureOf(() => relay.report(report()))).message).toMatch(
      /cannot be used: it is a read-only replica; REDIS_URL has to name the primary; the report was not accepted/,
    );
    await operator.replicaof('NO', 'ONE');
    expect(await relay.report(report())).toMatchObject({ status: 'queued' });
  });

  test('that it is still loading, and is served once it is done', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'sync-error-relay-loading-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const binary = 'redis-server';
    const first = await startRedisServer({ binary, dataDir, appendOnly: false });
    onTestFinished(() => first.stop());
    const operator = new Redis(first.url);
    await operator.eval("for i = 1, 3000 do redis.call('SET', 'k' .. i, 'x') end", 0);
    await operator.save();
    operator.disconnect();
    await first.stop();
    const slowly = ['--key-load-delay', '1500', '--loading-process-events-interval-bytes', '1024'];
    const child = spawn(binary, ['--port', String(first.port), '--dir', dataDir, '--save', '', ...slowly], {
      stdio: 'ignore',
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    await until('it listens', () => isOpen(first.port));

    const relay = relayTo(first.url);
    expect((await failureOf(() => relay.report(report()))).message).toMatch(
      /cannot be used: it is still loading its data; it takes reports again when it is done$/,
    );
    await until('it is done', () =>
      relay.report(report()).then(
        () => true,
        () => false,
      ),
    );
  }, 20_000);

  test('that it stopped answering in the midst of it, and nothing is lost when the call is repeated', async () => {
    const own = await startOwnRedis();
    const relay = relayTo(own.url);
    await relay.report(report('first'));
    process.kill(own.pid, 'SIGSTOP');
    onTestFinished(() => {
      process.kill(own.pid, 'SIGCONT');
    });
    const failure = await failureOf(() => relay.report(report('second')));
    expect(failure.message).toBe(
      `Redis at 127.0.0.1:${own.port} does not answer within 1000 ms; whether the report was accepted is unknown; repeating the call is harmless`,
    );
    process.kill(own.pid, 'SIGCONT');
    await until('it answers again', () =>
      relay.report(report('second')).then(
        () => true,
        () => false,
      ),
    );
    expect(await relay.depth()).toMatchObject({ waiting: 2 });
  });

  test('that it refuses for a reason of its own', async () => {
    const { url } = await scriptedRedis(
      (command) =>
        handshake(command) ??
        error('MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist'),
    );
    const relay = relayTo(url);
    expect((await failureOf(() => relay.report(report()))).message).toMatch(
      /cannot be used: it takes no writes because it cannot save to its disk; its own log says why/,
    );
  });
});

describe('a Redis that gets full in the midst of many reports', () => {
  const many = Array.from({ length: 3_000 }, (_, n) => report(`job-${n}`, 'x'.repeat(2_000)));

  test('says how many were accepted at least, and takes exactly the rest when the call is repeated', async () => {
    const own = await startOwnRedis();
    const operator = operatorOf(own.url);
    await operator.config('SET', 'maxmemory', '6mb');
    const relay = relayTo(own.url);

    const failure = await failureOf(() => relay.reportMany(many));
    const { waiting } = await relay.depth();

    expect(failure.message).toMatch(
      /cannot be used: its memory is full \(maxmemory\).*; of the whole call at least \d+ were accepted$/,
    );
    expect(failure.accepted).toBeGreaterThan(0);
    expect(failure.accepted).toBeLessThanOrEqual(waiting);
    expect(waiting).toBeLessThan(many.length);

    await operator.config('SET', 'maxmemory', '0');
    const results = await relay.reportMany(many);
    expect(results.filter(({ status }) => status === 'duplicate')).toHaveLength(waiting);
    expect(results.filter(({ status }) => status === 'queued')).toHaveLength(many.length - waiting);
    expect(await relay.depth()).toMatchObject({ waiting: many.length });
  });
});

test('a host that vanished without a word is given up, so that the next call finds where Redis is now', async () => {
  // Stands for an address that a failover gives to another host: old connections lead nowhere for ever.
  const port = Number(new URL(redisUrl()).port);
  const old = new Set<Socket>();
  const proxy = createServer();
  const address = await serve(proxy, (socket) => {
    const upstream = connect(port, '127.0.0.1').on('error', () => undefined);
    onTestFinished(() => {
      upstream.destroy();
    });
    socket.pipe(upstream).pipe(socket);
    old.add(socket);
  });
  const relay = relayTo(`redis://127.0.0.1:${address}`, { KEY_PREFIX: keyPrefix() });
  await relay.report(report('before'));
  for (const socket of old) socket.unpipe().pause();

  await failureOf(() => relay.report(report('during')));
  await until('it is back', () =>
    relay.report(report('after')).then(
      () => true,
      () => false,
    ),
  );
});

test('a relay that was opened while Redis was away works as soon as it is there', async () => {
  const own = await startOwnRedis();
  await own.stop();
  const relay = relayTo(own.url);
  await failureOf(() => relay.report(report()));
  await own.start();
  await until('it is back', () =>
    relay.report(report()).then(
      () => true,
      () => false,
    ),
  );
  expect(await relay.depth()).toMatchObject({ waiting: 1 });
});

test('a fault that is over is not told as the cause of the next one', async () => {
  const own = await startOwnRedis();
  await own.stop();
  const relay = relayTo(own.url);
  expect((await failureOf(() => relay.report(report()))).message).toContain('ECONNREFUSED');
  await own.start();
  await until('it is back', () =>
    relay.report(report()).then(
      () => true,
      () => false,
    ),
  );
  process.kill(own.pid, 'SIGSTOP');
  onTestFinished(() => {
    process.kill(own.pid, 'SIGCONT');
  });
  expect((await failureOf(() => relay.report(report()))).message).not.toContain('ECONNREFUSED');
  process.kill(own.pid, 'SIGCONT');
});

test('check says before the first report whether Redis is there', async () => {
  await expect(relayTo(redisUrl(), { KEY_PREFIX: keyPrefix() }).check()).resolves.toBeUndefined();
  await expect(relayTo('redis://127.0.0.1:9').check()).rejects.toThrow(RedisUnavailable);
});

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
