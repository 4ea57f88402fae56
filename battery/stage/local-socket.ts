import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { makeOwnFolder } from './own-folder.ts';

/** A Unix socket that somebody listens on. */
export interface LocalSocket extends AsyncDisposable {
  readonly socketPath: string;
}

/** Listens on a Unix socket of its own; connections end with whoever was given them. */
export async function listenLocally(onConnection: (connection: Socket) => void): Promise<LocalSocket> {
  const folder = await makeOwnFolder();
  const socketPath = join(folder.path, 'server.sock');
  const server = createServer({ allowHalfOpen: true }, onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, () => resolve());
  });
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}
