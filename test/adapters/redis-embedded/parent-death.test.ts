import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { ping } from './ask-redis.ts';

interface Held {
  readonly parent: ChildProcessByStdio<Writable, Readable, null>;
  readonly nextLine: () => Promise<string>;
  readonly url: string;
  readonly pid: number;
  readonly folder: string;
}

const endings: Readonly<Record<string, (held: Held) => void>> = {
  'is killed with SIGKILL': ({ parent }) => parent.kill('SIGKILL'),
  'is ended by SIGTERM': ({ parent }) => parent.kill('SIGTERM'),
  'calls process.exit without stopping it': ({ parent }) => parent.stdin.write('exit\n'),
  'fails with an exception nobody catches': ({ parent }) => parent.stdin.write('throw\n'),
};

it.each(Object.entries(endings))('ends with its folder when its parent %s', async (_, end) => {
  const held = await holdRedis();
  expect(await ping(held.url)).toBe('PONG');

  end(held);
  await once(held.parent, 'exit');

  await expect.poll(() => isAlive(held.pid), { timeout: 5_000 }).toBe(false);
  await expect.poll(() => existsSync(held.folder), { timeout: 5_000 }).toBe(false);
});

it('is ended by force where it does not heed SIGTERM', { timeout: 20_000 }, async () => {
  const held = await holdRedis();
  process.kill(held.pid, 'SIGSTOP');

  held.parent.kill('SIGKILL');

  await expect.poll(() => isAlive(held.pid), { timeout: 10_000, interval: 100 }).toBe(false);
  await expect.poll(() => existsSync(held.folder), { timeout: 5_000 }).toBe(false);
});

it('stays up through Ctrl-C on the terminal for as long as its parent does', async () => {
  const held = await holdRedis();

  // What a terminal does: the signal goes to the whole group in the foreground.
  process.kill(-Number(held.parent.pid), 'SIGINT');

  expect(await held.nextLine()).toBe('PONG');
  held.parent.kill('SIGKILL');
  await expect.poll(() => isAlive(held.pid), { timeout: 5_000 }).toBe(false);
});

async function holdRedis(): Promise<Held> {
  const parent = spawn(process.execPath, [fileURLToPath(new URL('hold-redis.ts', import.meta.url))], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => {
    parent.kill('SIGKILL');
  });
  const lines = createInterface(parent.stdout)[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await lines.next()).value);
  const { url, pid, folder } = JSON.parse(await nextLine()) as Pick<Held, 'url' | 'pid' | 'folder'>;
  return { parent, nextLine, url, pid, folder };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
