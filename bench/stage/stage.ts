import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';
import { type Sink, startSink } from './sink.ts';

/** What every measurement runs on. */
export interface Stage extends AsyncDisposable {
  readonly redis: OwnRedis;
  readonly sink: Sink;
  /** Where processes leave their logs, and inputs are written. */
  readonly logFolder: string;
  /** PATH, to find a Redis. */
  readonly path: string | undefined;
}

/** Puts it up. */
export async function setStage(path: string | undefined): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const logFolder = await mkdtemp(join(tmpdir(), 'sync-error-relay-bench-'));
  stack.defer(() => rm(logFolder, { recursive: true, force: true }));
  const redis = stack.use(await startOwnRedis(path));
  const sink = stack.use(await startSink());
  const owned = stack.move();
  return { redis, sink, logFolder, path, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
