import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { endOf, newFolder } from './run-cli.ts';

const BIN = fileURLToPath(new URL('../../bin/sync-error-relay.js', import.meta.url));

async function runBin(cwd: string, env: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn(process.execPath, [BIN, '--version'], { cwd, env });
  const { code, stdout, stderr } = await endOf(child);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
}

describe('compiled modules', () => {
  test('are kept in a folder of the user', async () => {
    const [cwd, home] = [newFolder(), newFolder()];

    await runBin(cwd, { HOME: home });

    expect(readdirSync(join(home, '.cache', 'sync-error-relay'))).toHaveLength(1);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('are kept where XDG_CACHE_HOME says', async () => {
    const [cwd, home, cache] = [newFolder(), newFolder(), newFolder()];

    await runBin(cwd, { HOME: home, XDG_CACHE_HOME: cache });

    expect(readdirSync(cache)).toEqual(['sync-error-relay']);
    expect(readdirSync(home)).toEqual([]);
  });

  test('are kept where NODE_COMPILE_CACHE says', async () => {
    const [cwd, home, cache] = [newFolder(), newFolder(), newFolder()];

    await runBin(cwd, { HOME: home, NODE_COMPILE_CACHE: cache });

    expect(readdirSync(cache)).toHaveLength(1);
    expect(readdirSync(home)).toEqual([]);
  });

  test.each<[string, (home: string) => Record<string, string>]>([
    ['NODE_DISABLE_COMPILE_CACHE', (home) => ({ HOME: home, NODE_DISABLE_COMPILE_CACHE: '1' })],
    [
      'a relative XDG_CACHE_HOME and an empty HOME',
      () => ({ HOME: '', XDG_CACHE_HOME: 'here', NODE_DISABLE_COMPILE_CACHE: '' }),
    ],
  ])('are kept nowhere in sight with %s', async (_what, env) => {
    const [cwd, home] = [newFolder(), newFolder()];

    await runBin(cwd, env(home));

    expect([...readdirSync(cwd), ...readdirSync(home)]).toEqual([]);
  });

  test('are done without where nothing can be written', async () => {
    const [cwd, home] = [newFolder(), newFolder()];
    const file = join(home, 'file');
    writeFileSync(file, '');

    await runBin(cwd, { HOME: file });

    expect(readdirSync(home)).toEqual(['file']);
  });
});
