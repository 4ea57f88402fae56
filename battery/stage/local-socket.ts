import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './at-exit.ts';

/** A Unix socket that somebody listens on. */
export interface LocalSocket extends AsyncDisposable {
  readonly socketPath: string;
}

/** Listens on a Unix socket of its own; connections end with whoever was given them. */
export async function listenLocally(onConnection: (connection: Socket) => void): Promise<LocalSocket> {
  const folder = await mkdtemp(join(tmpdir(), 'sync-error-relay-battery-'));
  const forget = atExit(() => rmSync(folder, { recursive: true, force: true }));
  const socketPath = join(folder, 'server.sock');
  const server = createServer({ allowHalfOpen: true }, onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, () => resolve());
  });
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      server.close();
      await rm(folder, { recursive: true, force: true });
      forget();
    },
  };
}
