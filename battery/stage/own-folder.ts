import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './at-exit.ts';

/** A folder that is gone with whoever made it. */
export interface OwnFolder extends AsyncDisposable {
  readonly path: string;
}

export async function makeOwnFolder(): Promise<OwnFolder> {
  const path = await mkdtemp(join(tmpdir(), 'sync-error-relay-battery-'));
  const forget = atExit(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
      forget();
    },
  };
}
