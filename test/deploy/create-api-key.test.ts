import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const PASSWORD = 'planted-password';
const BASIC = `Basic ${Buffer.from(`elastic:${PASSWORD}`).toString('base64')}`;

it('makes a key with manage_connector alone and writes it for its owner alone', async () => {
  const { run, folder, asked } = await setUp();

  const { code, output } = await run();

  expect(code).toBe(0);
  expect(asked).toEqual([
    {
      path: '/_security/api_key',
      authorization: BASIC,
      body: {
        name: 'sync-error-relay',
        role_descriptors: { sync_error_relay: { cluster: ['manage_connector'] } },
      },
    },
  ]);
  expect(await readFile(join(folder, 'api-key'), 'utf8')).toBe('made-1');
  expect((await stat(join(folder, 'api-key'))).mode & 0o777).toBe(0o400);
  expect(await readdir(folder)).toEqual(['api-key']);
  expect(output).toContain('id-1');
  expect(output).not.toMatch(/made-1|planted/);
});

it('keeps a key that is still good, however often it runs', async () => {
  const { run, folder, asked } = await setUp();
  await run();
  const { code, output } = await run();

  expect(code).toBe(0);
  expect(output).toContain('is good');
  expect(await readFile(join(folder, 'api-key'), 'utf8')).toBe('made-1');
  expect(asked.map(({ path }) => path)).toEqual(['/_security/api_key', '/_security/user/_has_privileges']);
  expect(asked[1]).toMatchObject({ authorization: 'ApiKey made-1', body: { cluster: ['manage_connector'] } });
});

it.each([
  ['Elasticsearch does not know', 'unknown'],
  ['lacks the privilege', 'powerless'],
])('replaces a key that %s', async (_, present) => {
  const { run, folder } = await setUp();
  await writeFile(join(folder, 'api-key'), present);
  expect((await run()).code).toBe(0);
  expect(await readFile(join(folder, 'api-key'), 'utf8')).toBe('made-1');
});

it('leaves the key alone where Elasticsearch cannot tell', async () => {
  const { run, folder } = await setUp();
  await writeFile(join(folder, 'api-key'), 'untold');
  const { code, output } = await run();
  expect(code).toBe(1);
  expect(output).toContain('answered 503');
  expect(await readFile(join(folder, 'api-key'), 'utf8')).toBe('untold');
});

it('says what a refused password means, and not the password', async () => {
  const { run } = await setUp();
  const { code, output } = await run({ ELASTIC_PASSWORD: 'planted-wrong' });
  expect(code).toBe(1);
  expect(output).toContain('refuses ELASTIC_PASSWORD');
  expect(output).not.toContain('planted');
});

it('says what stood in the way where nothing answers', async () => {
  const { run } = await setUp();
  const { code, output } = await run({ ELASTICSEARCH_URL: 'http://127.0.0.1:1' });
  expect(code).toBe(1);
  expect(output).not.toBe('');
});

it.each(['ELASTICSEARCH_URL', 'ELASTIC_PASSWORD', 'API_KEY_FILE'])(
  'names %s where it is not set',
  async (name) => {
    const { run } = await setUp();
    expect(await run({ [name]: '' })).toEqual({ code: 1, output: `${name} is not set\n` });
  },
);

interface Asked {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

interface Bundle {
  readonly folder: string;
  readonly asked: Asked[];
  run(
    environment?: Readonly<Record<string, string>>,
  ): Promise<{ readonly code: number; readonly output: string }>;
}

/** Two routes of Elasticsearch's security API, as far as the script goes. */
async function setUp(): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'sync-error-relay-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const asked: Asked[] = [];
  let made = 0;
  const server = createServer(async (request, response) => {
    const { authorization } = request.headers;
    asked.push({ path: request.url, authorization, body: JSON.parse(await text(request)) });
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.url === '/_security/user/_has_privileges') {
      if (authorization === 'ApiKey untold') answer(503, {});
      else if (authorization === 'ApiKey powerless') answer(200, { has_all_requested: false });
      else if (authorization === `ApiKey made-${made}`) answer(200, { has_all_requested: true });
      else answer(401, {});
    } else if (authorization === BASIC) {
      made++;
      answer(200, { id: `id-${made}`, encoded: `made-${made}` });
    } else {
      answer(401, {});
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });

  const run: Bundle['run'] = async (environment) => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../scripts/create-api-key.ts', import.meta.url))],
      {
        env: {
          ELASTICSEARCH_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          ELASTIC_PASSWORD: PASSWORD,
          API_KEY_FILE: join(folder, 'api-key'),
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { code: Number(code), output: stdout + stderr };
  };
  return { folder, asked, run };
}
