import { fileURLToPath } from 'node:url';
import { openRelay, type Relay, readConfig } from '../../src/index.ts';
import type { Command } from '../stage/child.ts';
import { reportOf, reportsFrom } from '../stage/reports.ts';
import type { Contender, Place } from './contender.ts';

/** The command line as it is published. */
export const BIN: string = fileURLToPath(new URL('../../bin/sync-error-relay.js', import.meta.url));

/** Producers that hand in reports one by one at the same time; each has a connection of its own. */
const PRODUCERS = 8;

/** Every report handed in alone, so that each is a job of its own. */
export const ours: Contender = {
  name: 'ours',
  title: 'sync-error-relay, one by one',
  isTuned: false,
  async fill(place, from, count) {
    let next = from;
    await Promise.all(
      Array.from({ length: PRODUCERS }, async () => {
        await using relay = relayTo(place);
        while (next < from + count) {
          const { status } = await relay.report(reportOf(next++));
          if (status !== 'queued') throw new Error(`a report was not queued but ${status}`);
        }
      }),
    );
  },
  command: workerCommand,
};

/** All reports handed in by one call. */
export const oursInBatches: Contender = {
  name: 'ours_batch',
  title: 'sync-error-relay, in batches',
  isTuned: false,
  async fill(place, from, count) {
    await using relay = relayTo(place);
    let queued = 0;
    for await (const { status } of relay.reportEach(reportsFrom(from, count)))
      queued += status === 'queued' ? 1 : 0;
    if (queued !== count) throw new Error(`${queued} of ${count} reports were queued`);
  },
  command: workerCommand,
};

/** A relay with every setting at its default. */
export function relayTo({ redisUrl }: Pick<Place, 'redisUrl'>): Relay {
  return openRelay(readConfig({ REDIS_URL: redisUrl, ENQUEUE_TIMEOUT_MS: '60000' }));
}

/** The worker with every setting at its default, and with what a service has beside: log, metrics, HTTP. */
export function workerCommand({ redisUrl, elasticsearchUrl }: Place): Command {
  return {
    args: [BIN, 'work'],
    env: { REDIS_URL: redisUrl, ELASTICSEARCH_URL: elasticsearchUrl, HTTP_PORT: '0' },
  };
}
