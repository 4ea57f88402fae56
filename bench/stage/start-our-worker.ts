import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerCommand } from '../contenders/ours.ts';
import { type Child, startChild } from './child.ts';
import type { Stage } from './stage.ts';

const LOOK_MS = 20;

/** Starts our worker as it is published, and waits until it says that it works. */
export async function startOurWorker({ logFolder, sink }: Stage, redisUrl: string): Promise<Child> {
  const child = startChild(workerCommand({ redisUrl, elasticsearchUrl: sink.url }), {
    logFolder,
    name: 'our worker',
  });
  await child.during(hasStarted(join(logFolder, 'worker.log')));
  return child;
}

async function hasStarted(log: string): Promise<void> {
  while (!(await readFile(log, 'utf8')).includes('"worker started"')) await sleep(LOOK_MS);
}
