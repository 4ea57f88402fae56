/** A door to speak to: one on a real Redis over real HTTP, or one on a queue of the test's own without a network. */
import type { FastifyInstance } from 'fastify';
import { onTestFinished } from 'vitest';
import { silentLog } from '../../src/adapters/observe/create-log.ts';
import { createMetrics } from '../../src/adapters/observe/metrics.ts';
import { type Config, readConfig } from '../../src/config.ts';
import type { ParsedReport } from '../../src/domain/error-report.ts';
import { type Door, serveDoor } from '../../src/door.ts';
import { buildDoor } from '../../src/http/open-door.ts';
import type { DoorQueue } from '../../src/http/ports.ts';
import type { Log, QueueDepth } from '../../src/pipeline/ports.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';

export interface OpenedDoor {
  readonly door: Door;
  readonly url: string;
  readonly config: Config;
}

/** Opens a door on the run's Redis, or the one that `env` names; it closes with the test. */
export async function openTestDoor(
  env: Readonly<Record<string, string>> = {},
  log: Log = silentLog,
): Promise<OpenedDoor> {
  const config = readConfig({ REDIS_URL: redisUrl(), KEY_PREFIX: keyPrefix(), HTTP_PORT: '0', ...env });
  if (config.http === undefined) throw new Error('HTTP_PORT is set');
  const door = await serveDoor(config, config.http, { log, metrics: createMetrics() });
  onTestFinished(() => door.close());
  return { door, url: door.address, config };
}

export const EMPTY_DEPTH: QueueDepth = {
  waiting: 0,
  active: 0,
  delayed: 0,
  oldestWaitingMs: 0,
  paused: false,
};

export interface FakeQueue extends DoorQueue {
  readonly accepted: ParsedReport[];
}

/** A queue that takes everything and remembers it. */
export function fakeQueue(over: Partial<DoorQueue> = {}): FakeQueue {
  const accepted: ParsedReport[] = [];
  return {
    accepted,
    accept: async (report) => {
      accepted.push(report);
      return { status: 'queued', id: `r-${'a'.repeat(24)}` };
    },
    depth: async () => EMPTY_DEPTH,
    locate: async () => ({ kind: 'gone' }),
    deadLetters: { list: async () => ({ total: 0, letters: [] }), get: async () => undefined },
    ...over,
  };
}

/** A door without a network, on a queue of the test's own. */
export async function injectedDoor(
  queue: DoorQueue = fakeQueue(),
  env: Readonly<Record<string, string>> = {},
  log: Log = silentLog,
): Promise<FastifyInstance> {
  const config = readConfig({ HTTP_PORT: '0', ...env });
  if (config.http === undefined) throw new Error('HTTP_PORT is set');
  const options = { ...config.http, reports: config.reports, version: '0.0.0' };
  const server = await buildDoor(options, { checks: [], metrics: createMetrics(), log, queue });
  await server.ready();
  onTestFinished(() => server.close());
  return server;
}
