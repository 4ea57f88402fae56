import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { probeContainerEngine } from '../../../src/adapters/redis-embedded/container-engine.ts';
import { findBinary } from '../../../src/adapters/redis-embedded/find-binary.ts';
import { installRedis } from '../../../src/adapters/redis-embedded/install-redis.ts';
import {
  type ProvideRedisOptions,
  provideRedis,
} from '../../../src/adapters/redis-embedded/provide-redis.ts';
import { RedisMissing } from '../../../src/adapters/redis-embedded/redis-missing.ts';
import { ping } from './ask-redis.ts';

describe('a Redis that is given', () => {
  it('is used as it is, never stopped, and its password is not said', async () => {
    const { server: running } = await provide({});
    const given = running.url.replace('redis://', 'redis://relay:geheim@');

    const { server, lines } = await provide({ givenUrl: given, env: { PATH: '' } });
    expect(server.url).toBe(given);
    expect(server.origin).toBe('given');
    expect(server.pid).toBeUndefined();
    await server.stop();

    expect(await ping(running.url)).toBe('PONG');
    expect(`${lines.join()} ${server.description}`).toContain(new URL(running.url).host);
    expect(`${lines.join()} ${server.description}`).not.toContain('geheim');
  });

  it('is nothing where the variable is there but empty', async () => {
    const { server } = await provide({ givenUrl: '' });
    expect(server.origin).toBe('server');
  });
});

describe('a Redis found on PATH', () => {
  it('is started, and one line says so', async () => {
    const { server, lines } = await provide({});
    expect(await ping(server.url)).toBe('PONG');
    expect(server.origin).toBe('server');
    expect(lines).toEqual([`Redis: ${server.description}`]);
  });

  it('may be valkey-server', async () => {
    const path = await folderWith({});
    await symlink(
      findBinary(['redis-server', 'valkey-server'], process.env['PATH']) ?? '',
      `${path}/valkey-server`,
    );
    const { server } = await provide({ env: { PATH: path } });
    expect(server.description).toMatch(/^valkey-server /);
  });

  it('gives way to the next step where it does not start, and the reason is said', async () => {
    const path = await folderWith({ 'redis-server': '#!/bin/sh\necho broken >&2\nexit 1\n' });
    const lines: string[] = [];
    await expect(
      provide({ env: { ...nowhere, PATH: path }, say: (line) => lines.push(line) }),
    ).rejects.toThrow(RedisMissing);
    expect(lines.join()).toContain('did not start');
    expect(lines.join()).toContain('broken');
  });
});

describe('where there is no Redis', () => {
  it('says what was tried and three ways to get one', async () => {
    const failure = await provide({ env: nowhere }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RedisMissing);
    const { message, tried } = failure as RedisMissing;
    expect(tried).toEqual([
      'neither redis-server nor valkey-server is on PATH',
      'no container engine at unix:///nowhere/docker.sock (ENOENT)',
    ]);
    for (const way of [
      ...tried,
      'apt-get install redis-server',
      'brew install redis',
      'docker run',
      'REDIS_URL=',
    ]) {
      expect(message).toContain(way);
    }
  });

  it('asks for a container before a server where containers are preferred', async () => {
    const failure = await provide({ env: nowhere, preferContainer: true }).catch((error: unknown) => error);
    expect((failure as RedisMissing).tried).toEqual([
      'no container engine at unix:///nowhere/docker.sock (ENOENT)',
      'neither redis-server nor valkey-server is on PATH',
    ]);
  });
});

describe('installing with apt-get', () => {
  const debian = 'ID=debian\nVERSION_ID="12"\n';
  const apt = '#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >> "$LOG"\n';

  it('updates, installs redis-server without questions, and announces it in one line', async () => {
    const path = await folderWith({ 'apt-get': apt, 'os-release': debian });
    const { installation, lines } = await install(path, 0);
    expect(installation).toEqual({ kind: 'installed' });
    expect(lines).toEqual(['Redis: none found, installing redis-server with apt-get']);
    const [update, installing, ...others] = (await readFile(`${path}/log`, 'utf8')).trim().split('\n');
    expect(update).toMatch(/^noninteractive update -qq/);
    expect(installing).toMatch(/^noninteractive install -y .*-qq .* redis-server$/);
    expect(others).toEqual([]);
  });

  it('works on what derives from Debian', async () => {
    const path = await folderWith({ 'apt-get': apt, 'os-release': 'ID=mint\nID_LIKE="ubuntu debian"\n' });
    expect((await install(path, 0)).installation.kind).toBe('installed');
  });

  it.each([
    ['it is not root', 1_000, debian, 'apt-get: installing needs root'],
    ['the platform knows no users', undefined, debian, 'apt-get: installing needs root'],
    ['the system is another', 0, 'ID=fedora\n', 'apt-get: not a Debian or Ubuntu system'],
  ])('runs nothing and says nothing where %s', async (_, uid, release, reason) => {
    const path = await folderWith({ 'apt-get': apt, 'os-release': release });
    expect(await install(path, uid)).toEqual({ installation: { kind: 'refused', reason }, lines: [] });
    await expect(readFile(`${path}/log`)).rejects.toThrow('ENOENT');
  });

  it('gives the reason where apt-get fails', async () => {
    const path = await folderWith({
      'apt-get': '#!/bin/sh\necho "E: no space" >&2\nexit 100\n',
      'os-release': debian,
    });
    expect((await install(path, 0)).installation).toEqual({
      kind: 'refused',
      reason: 'apt-get install redis-server failed: E: no space',
    });
  });

  async function install(
    path: string,
    uid: number | undefined,
  ): Promise<object & { installation: { kind: string }; lines: string[] }> {
    const lines: string[] = [];
    const installation = await installRedis({
      env: { PATH: path, LOG: `${path}/log` },
      uid,
      osReleaseFile: `${path}/os-release`,
      say: (line) => lines.push(line),
    });
    return { installation, lines };
  }
});

describe('a container engine', () => {
  it('is there where it answers /_ping', async () => {
    const socket = await engine((request, response) => {
      response.statusCode = request.url === '/_ping' ? 200 : 404;
      response.end('OK');
    });
    expect(await probeContainerEngine({ DOCKER_HOST: `unix://${socket}` })).toEqual({ kind: 'answers' });
  });

  it('is not there where it answers with an error', async () => {
    const socket = await engine((_, response) => {
      response.statusCode = 500;
      response.end();
    });
    expect(await probeContainerEngine({ DOCKER_HOST: `unix://${socket}` })).toEqual({
      kind: 'absent',
      reason: `the container engine at unix://${socket} answers 500`,
    });
  });

  it('is not waited for when it never answers', async () => {
    const socket = await engine(() => undefined);
    const probe = await probeContainerEngine({ DOCKER_HOST: `unix://${socket}` });
    expect(probe).toMatchObject({
      kind: 'absent',
      reason: expect.stringContaining('no answer within 2000 ms'),
    });
  });

  it.each(['ssh://build-host', 'nonsense'])('is not looked for at %s', async (host) => {
    expect(await probeContainerEngine({ DOCKER_HOST: host })).toMatchObject({
      kind: 'absent',
      reason: expect.stringContaining('only unix:// and tcp:// are understood'),
    });
  });
});

/** No server on PATH and no container engine, whatever this machine has. */
const nowhere = { PATH: '', DOCKER_HOST: 'unix:///nowhere/docker.sock' };

interface Provided {
  readonly server: Awaited<ReturnType<typeof provideRedis>>;
  readonly lines: readonly string[];
}

async function provide(options: Partial<ProvideRedisOptions>): Promise<Provided> {
  const lines: string[] = [];
  const server = await provideRedis({
    appendOnly: false,
    mayInstall: false,
    say: (line) => lines.push(line),
    ...options,
  });
  onTestFinished(() => server.stop());
  return { server, lines };
}

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sync-error-relay-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}

/** Something that listens where a container engine would. */
async function engine(listener: RequestListener): Promise<string> {
  const socket = join(await folderWith({}), 'engine.sock');
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return socket;
}
