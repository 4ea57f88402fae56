/**
 * A consumer of a Redis stream written by hand, with a consumer group and the official client. What fails stays
 * pending; taking it over from a dead consumer, waiting before another attempt and giving up are not written.
 */
import { Client } from '@elastic/elasticsearch';
import { Redis } from 'ioredis';
import type { ErrorReport } from '../../src/index.ts';
import { reportOf } from '../stage/reports.ts';
import type { Contender } from './contender.ts';
import { readWork, workCommand } from './work.ts';

const STREAM = 'reports';
const GROUP = 'workers';
const ENTRIES_A_CALL = 500;

export const redisStreams: Contender = {
  name: 'streams',
  title: 'Redis Streams by hand and the official client',
  isTuned: true,
  async fill({ redisUrl }, from, count) {
    const redis = new Redis(redisUrl);
    for (let first = from; first < from + count; first += ENTRIES_A_CALL) {
      const pipeline = redis.pipeline();
      for (let number = first; number < Math.min(from + count, first + ENTRIES_A_CALL); number += 1)
        pipeline.xadd(STREAM, '*', 'report', JSON.stringify(reportOf(number)));
      await pipeline.exec();
    }
    redis.disconnect();
  },
  command: (work) => workCommand(import.meta.filename, work),
};

if (import.meta.main) {
  const { redisUrl, elasticsearchUrl, concurrency } = readWork();
  const client = new Client({ node: elasticsearchUrl });
  const redis = new Redis(redisUrl);
  await redis.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM').catch(() => undefined);

  // Two consumers, so that one has requests under way while the other ends its last ones.
  await Promise.all([consume('a'), consume('b')]);

  async function consume(name: string): Promise<void> {
    const reader = redis.duplicate();
    while (true) {
      const read = (await reader.xreadgroup(
        ...(['GROUP', GROUP, name, 'COUNT', Math.ceil(concurrency / 2), 'BLOCK', 1_000] as const),
        ...(['STREAMS', STREAM, '>'] as const),
      )) as unknown as Streams | null;
      const entries = entriesOf(read);
      await Promise.all(entries.map(([, fields]) => apply(JSON.parse(fields[1] ?? '') as ErrorReport)));
      const ids = entries.map(([id]) => id);
      if (ids.length > 0)
        await redis
          .pipeline()
          .xack(STREAM, GROUP, ...ids)
          .xdel(STREAM, ...ids)
          .exec();
    }
  }

  async function apply({ connector_sync_job_id, error }: ErrorReport): Promise<void> {
    await client.connector.syncJobError({ connector_sync_job_id, error });
  }
}

type Entry = readonly [id: string, fields: readonly string[]];
type Streams =
  | readonly (readonly [stream: string, entries: readonly Entry[]])[]
  | Readonly<Record<string, readonly Entry[]>>;

/** One protocol of Redis answers with a list of streams, the other with a map. */
function entriesOf(read: Streams | null): readonly Entry[] {
  if (read === null) return [];
  return Array.isArray(read)
    ? (read[0] as readonly [string, readonly Entry[]])[1]
    : (Object.values(read)[0] as readonly Entry[]);
}
