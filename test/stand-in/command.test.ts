import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

// A process takes long to start on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

function run(
  args: readonly string[],
): ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, [program, 'stand-in', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function outcome(
  args: readonly string[],
): Promise<{ code: number | null; stderr: string; stdout: string }> {
  const child = run(args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code: code as number | null, stderr, stdout };
}

async function file(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stand-in-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'sync-jobs.ndjson');
  await writeFile(path, content);
  return path;
}

describe('the stand-in command', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'prints its address when it is ready, and stops with 0 on %s',
    async (signal) => {
      const path = await file('{"id":"a","connector_id":"c","status":"in_progress"}\n');
      const child = run([
        '--sync-jobs',
        path,
        '--elasticsearch-version',
        '8.19',
        '--fault',
        'status:status=503,count=1',
      ]);
      const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
      expect((await fetch(url)).status).toBe(503);
      expect(await (await fetch(url)).json()).toMatchObject({ version: { number: '8.19.0' } });
      expect((await fetch(`${url}/_connector/_sync_job/a`)).status).toBe(200);
      const exited = once(child, 'exit');
      child.kill(signal);
      expect(await exited).toEqual([0, null]);
    },
  );

  it('asks for the credentials it was given', async () => {
    const child = run(['--user', 'u:p:manage_connector', '--api-key', 'i:k']);
    const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const ask = async (authorization: string): Promise<number> =>
      (await fetch(`${url}/_security/_authenticate`, { headers: { authorization } })).status;
    expect(await ask(`Basic ${btoa('u:p')}`)).toBe(200);
    expect(await ask(`ApiKey ${btoa('i:k')}`)).toBe(200);
    expect(await ask(`Basic ${btoa('elastic:changeme')}`)).toBe(401);
  });

  it('names the lines of a file that are no sync jobs', async () => {
    const path = await file('{"id":"a","status":"pending"}\n\noops\n{"id":1}\n');
    const { code, stderr } = await outcome(['--sync-jobs', path]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${path}:3: `);
    expect(stderr).toContain(
      `${path}:4: id: expected a string, got number; status: expected a string, got nothing`,
    );
  });

  it.each([
    [['--fault', 'quake'], 'kind must be one of'],
    [['--elasticsearch-version', '7.17'], 'begins with 8.12'],
    [['--port', '70000'], 'from 0 to 65535'],
    [['--user', 'only-a-name'], '--user: expected two or three parts'],
    [['--sync-jobs', '/none/such'], 'there is no such file'],
    [['--what'], 'unknown option'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await outcome(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('shows examples in its help', async () => {
    const { code, stdout } = await outcome(['--help']);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('stand-in --port 9200 --sync-jobs sync-jobs.ndjson'),
    ]);
  });
});
