/**
 * How what a report costs grows with what waits before it. Each backlog lies in a Redis of its own, so that they
 * can take turns. Every report is a job of its own: a backlog that came in batches is a hundredth of it.
 */
import { CONTENDERS } from '../contenders/index.ts';
import { relayTo } from '../contenders/ours.ts';
import type { Figure } from '../figures/figure.ts';
import { mean } from '../figures/statistics.ts';
import { copyJobs } from '../stage/copy-jobs.ts';
import { type OwnRedis, startOwnRedis } from '../stage/own-redis.ts';
import { reportsFrom } from '../stage/reports.ts';
import type { Stage } from '../stage/stage.ts';
import { startOurWorker } from '../stage/start-our-worker.ts';
import { inRounds } from './in-rounds.ts';
import type { Measure } from './measure.ts';

type Backlog = 'small' | 'middle' | 'large';
const BACKLOGS: readonly Backlog[] = ['small', 'middle', 'large'];

interface Costs {
  readonly perSecond: number;
  readonly enqueuedPerSecond: number;
}

/** The numbers of what is handed in to be counted; the copies have lower ones. */
const FRESH_FROM = 1_000_000_000;

/** More than are put in line again in a round, so that no number comes twice. */
const COPIES_A_ROUND = 1_000_000;

export const backlog: Measure = {
  id: 'backlog',
  title: 'With a backlog',
  async run({ stage, sizes, rounds, say }) {
    await using stack = new AsyncDisposableStack();
    const redis = new Map<Backlog, OwnRedis>();
    for (const name of BACKLOGS) {
      const server = stack.use(await startOwnRedis(stage.path));
      redis.set(name, server);
      if (name === 'small') continue;
      await copyJobs(server.client, server.url, 1, sizes.backlogs[name]);
      say(`${sizes.backlogs[name].toLocaleString('en')} reports wait in a Redis of their own`);
    }
    let handedIn = FRESH_FROM;
    const costs = await inRounds(rounds, BACKLOGS, async (name, round): Promise<Costs> => {
      const server = redis.get(name);
      if (server === undefined) throw new Error(`no Redis for ${name}`);
      const isSmall = name === 'small';
      const enqueuedPerSecond = await enqueueRate(server, isSmall ? sizes.backlogs.small : undefined);
      if (isSmall) await server.client.flushall();
      const worked = { warmUp: sizes.warmUpReports, measured: sizes.measuredReports };
      const perSecond = isSmall
        ? await rateOfFew(stage, server, { ...worked, waiting: sizes.backlogs.small })
        : await rateOfMany(stage, server, worked, COPIES_A_ROUND * (round + 1) + sizes.backlogs[name]);
      say(
        `round ${round + 1}, ${sizes.backlogs[name].toLocaleString('en')} waiting: applied ${Math.round(perSecond)}/s, ` +
          `enqueued ${Math.round(enqueuedPerSecond)}/s`,
      );
      return { perSecond, enqueuedPerSecond };
    });
    return [...costs].flatMap(([name, of]): Figure[] => {
      const title = `${sizes.backlogs[name].toLocaleString('en')} waiting`;
      return [
        {
          key: `backlog.rate.${name}`,
          title: `${title}: applied by one worker`,
          unit: 'reports/s',
          samples: of.map(({ perSecond }) => perSecond),
        },
        {
          key: `backlog.enqueue.${name}`,
          title: `${title}: enqueued by one call`,
          unit: 'reports/s',
          samples: of.map(({ enqueuedPerSecond }) => enqueuedPerSecond),
        },
      ];
    });

    /** The first call is for warming up; few are made to wait anew before each. */
    async function enqueueRate({ url, client }: OwnRedis, waiting: number | undefined): Promise<number> {
      await using relay = relayTo({ redisUrl: url });
      let tookMs = 0;
      for (let call = 0; call <= CALLS; call += 1) {
        if (waiting !== undefined) {
          await client.flushall();
          await copyJobs(client, url, 1, waiting);
        }
        const reports = reportsFrom(handedIn, sizes.batchReports);
        handedIn += sizes.batchReports;
        const startedAt = performance.now();
        await relay.reportMany(reports);
        if (call > 0) tookMs += performance.now() - startedAt;
      }
      return (CALLS * sizes.batchReports * 1_000) / tookMs;
    }
  },
};

/** Calls of the library that are measured in a round: one alone is over before the machine's mood shows. */
const CALLS = 5;

interface Worked {
  readonly warmUp: number;
  readonly measured: number;
}

/** Works off a part of what waits, and puts as much in line again. */
async function rateOfMany(
  stage: Stage,
  redis: OwnRedis,
  { warmUp, measured }: Worked,
  nextCopy: number,
): Promise<number> {
  const { sink } = stage;
  await sink.reset();
  await using worker = await startOurWorker(stage, redis.url);
  const from = await worker.during(sink.reach(warmUp));
  const to = await worker.during(sink.reach(warmUp + measured));
  // What it has under way must not count as left by a worker that died.
  worker.process.kill('SIGTERM');
  await worker.ended;
  await copyJobs(redis.client, redis.url, nextCopy, (await sink.count()).count);
  return ((to.count - from.count) * 1_000) / (to.atMs - from.atMs);
}

/** Lets so few wait that never more than those do: the worker is held while they are handed in. */
async function rateOfFew(
  stage: Stage,
  redis: OwnRedis,
  { warmUp, measured, waiting }: Worked & { readonly waiting: number },
): Promise<number> {
  const { sink } = stage;
  const place = { redisUrl: redis.url, elasticsearchUrl: sink.url };
  await sink.reset();
  await using worker = await startOurWorker(stage, redis.url);
  const rates: number[] = [];
  let done = 0;
  while (done < warmUp + measured) {
    worker.process.kill('SIGSTOP');
    await CONTENDERS.ours.fill(place, done, waiting);
    const first = sink.reach(done + 1);
    const last = sink.reach(done + waiting);
    worker.process.kill('SIGCONT');
    const tookMs = (await worker.during(last)).atMs - (await worker.during(first)).atMs;
    if (done >= warmUp) rates.push(((waiting - 1) * 1_000) / tookMs);
    done += waiting;
  }
  return mean(rates);
}
