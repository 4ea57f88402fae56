import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender } from '../contenders/contender.ts';
import { CONTENDERS } from '../contenders/index.ts';
import { relayTo } from '../contenders/ours.ts';
import type { Figure } from '../figures/figure.ts';
import { startOwnRedis } from '../stage/own-redis.ts';
import type { Stage } from '../stage/stage.ts';
import { startOurWorker } from '../stage/start-our-worker.ts';
import { inRounds } from './in-rounds.ts';
import type { Measure } from './measure.ts';

const TITLES = {
  ours: 'a waiting report, handed in one by one',
  ours_batch: 'a waiting report, handed in in batches',
  straightforward: 'a waiting report, plain BullMQ with attempts and backoff',
  bee: 'a waiting report, bee-queue',
  streams: 'a waiting report, Redis stream',
  dead_letter: 'a dead letter',
} as const;

type Kind = keyof typeof TITLES;

const KINDS = Object.keys(TITLES) as readonly Kind[];

/**
 * What Redis needs to keep one of each, each time in a fresh one: the hash of a plain BullMQ job keeps its first,
 * smaller table beside the second or not, 32 bytes, by where its fields fall, and that a Redis draws at its start.
 */
export const bytes: Measure = {
  id: 'bytes',
  title: 'Memory in Redis',
  async run({ stage, sizes, rounds, say }) {
    const count = sizes.bytesReports;
    const sizesOf = await inRounds(rounds, KINDS, async (kind, round) => {
      await using redis = await startOwnRedis(stage.path);
      const place = { ...stage, redis };
      const each =
        kind === 'dead_letter'
          ? await deadLetterBytes(place, count)
          : await waitingBytes(place, CONTENDERS[kind], count);
      say(`round ${round + 1}, ${kind}: ${Math.round(each)} bytes`);
      return each;
    });
    return [...sizesOf].map(
      ([kind, samples]): Figure => ({ key: `bytes.${kind}`, title: TITLES[kind], unit: 'bytes', samples }),
    );
  },
};

/** What is there from the first reports on, the stream of events for instance, counts for none of those after. */
async function waitingBytes({ redis, sink }: Stage, contender: Contender, count: number): Promise<number> {
  const place = { redisUrl: redis.url, elasticsearchUrl: sink.url };
  await contender.fill(place, 0, count);
  const before = await redis.usedBytes();
  await contender.fill(place, count, count);
  const after = await redis.usedBytes();
  return (after - before) / count;
}

const LOOK_MS = 20;

/** Of letters that Elasticsearch's own 404 made. */
async function deadLetterBytes(stage: Stage, count: number): Promise<number> {
  const { redis, sink } = stage;
  const place = { redisUrl: redis.url, elasticsearchUrl: sink.url };
  await sink.reset({ answer: 'not-found' });
  await using worker = await startOurWorker(stage, redis.url);
  await using relay = relayTo(place);
  const buried = async (from: number): Promise<number> => {
    await CONTENDERS.ours_batch.fill(place, from, count);
    const isDone = async (): Promise<boolean> => {
      const { total } = await relay.deadLetters.list({ limit: 1 });
      const { waiting, active, delayed } = await relay.depth();
      return total === from + count && waiting + active + delayed === 0;
    };
    while (!(await isDone())) await worker.during(sleep(LOOK_MS));
    return redis.usedBytes();
  };
  const before = await buried(0);
  const after = await buried(count);
  await worker.kill();
  return (after - before) / count;
}
