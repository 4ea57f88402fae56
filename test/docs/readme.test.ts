import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
const pkg = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** The fenced blocks of a language, with the block that follows each. */
function blocks(language: string): { readonly text: string; readonly after: string }[] {
  const all = [...readme.matchAll(/```(\w*)\n([\s\S]*?)```/g)];
  return all.flatMap(([, name, text], index) =>
    name === language ? [{ text: text ?? '', after: all[index + 1]?.[2] ?? '' }] : [],
  );
}

describe('the README', () => {
  test('shows TypeScript that runs as a package user would run it, and prints what it says', async () => {
    const [example] = blocks('ts');
    const folder = await mkdtemp(join(tmpdir(), 'sync-error-relay-readme-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, 'node_modules'));
    await symlink(ROOT, join(folder, 'node_modules', 'sync-error-relay'), 'dir');
    await writeFile(join(folder, 'example.ts'), example?.text ?? '');
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');

    const { stdout } = await promisify(execFile)(process.execPath, ['example.ts'], {
      cwd: folder,
      env: { ...process.env, REDIS_URL: redisUrl(), KEY_PREFIX: keyPrefix() },
    });

    expect(stdout).toBe(example?.after);
  });

  test('names only npm scripts, commands and options that there are', async () => {
    const shell = blocks('sh')
      .map(({ text }) => text)
      .join('\n');
    for (const [, script] of shell.matchAll(/npm run ([\w-]+)/g))
      expect(Object.keys(pkg.scripts)).toContain(script);
    const program = await createProgram();
    const calls = [...shell.matchAll(/sync-error-relay ([\w-]+)((?: [^\n]*)?)/g)];
    expect(calls.length).toBeGreaterThan(5);
    for (const [, name, rest] of calls) {
      const command = program.commands.find((candidate) => candidate.name() === name);
      expect(command, `command ${name}`).toBeDefined();
      for (const [option] of (rest ?? '').matchAll(/--[\w-]+/g)) {
        expect(command?.options.map(({ long }) => long)).toContain(option);
      }
    }
  });

  test('shows the figures of the demo that is shipped', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['src/cli/main.ts', 'demo'], {
      cwd: ROOT,
      env: { ...process.env, REDIS_URL: redisUrl() },
    });
    const table = blocks('').find(({ text }) => text.includes('already applied'));

    expect(stdout).toContain(table?.text.trimEnd());
  });

  test('links to files that there are', async () => {
    for (const [, path] of readme.matchAll(/\]\(([\w./-]+)\)/g)) {
      await expect(readFile(join(ROOT, path ?? ''), 'utf8'), path).resolves.not.toBe('');
    }
  });
});
