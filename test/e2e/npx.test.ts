import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('npx runs the command in a clone, for a user whose npm has never run before', async () => {
  const home = await mkdtemp(join(tmpdir(), 'sync-error-relay-home-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  // What npm hands down to its scripts would tell npx about this run and not about the user's.
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));

  const { stdout } = await promisify(execFile)('npx', ['sync-error-relay', '--version'], {
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), HOME: home },
  });

  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(stdout).toBe(`${version}\n`);
}, 30_000);
