import { setTimeout as sleep } from 'node:timers/promises';
import { BIN, workerCommand } from '../contenders/ours.ts';
import type { Figure } from '../figures/figure.ts';
import { median } from '../figures/statistics.ts';
import { type Command, startChild } from '../stage/child.ts';
import type { Stage } from '../stage/stage.ts';
import { addressOf } from './enqueue.ts';
import { inRounds } from './in-rounds.ts';
import type { Measure } from './measure.ts';

const POLL_MS = 2;

const TITLES = {
  node: 'node -e 0, start to end',
  help: '--help, start to end',
  ready: 'worker, start to /readyz',
} as const;

type Start = keyof typeof TITLES;

/** How long processes take to start. */
export const startUp: Measure = {
  id: 'start_up',
  title: 'Start-up',
  async run({ stage, sizes, rounds, say }) {
    await stage.redis.client.flushall();
    await stage.sink.reset();
    const took = await inRounds(rounds, Object.keys(TITLES) as readonly Start[], async (start, round) => {
      const times: number[] = [];
      for (let each = 0; each < sizes.starts; each += 1) times.push(await timeOf(start));
      say(`round ${round + 1}, ${TITLES[start]}: ${median(times).toFixed(0)} ms`);
      return median(times);
    });
    return [...took].map(
      ([start, ms]): Figure => ({
        key: `start_up.${start}`,
        title: TITLES[start],
        unit: start === 'ready' ? 's' : 'ms',
        samples: start === 'ready' ? ms.map((each) => each / 1_000) : ms,
      }),
    );

    async function timeOf(start: Start): Promise<number> {
      switch (start) {
        case 'node':
          return timeToEnd({ args: ['-e', '0'], env: {} });
        case 'help':
          return timeToEnd({ args: [BIN, '--help'], env: {} });
        case 'ready':
          return timeToReady(stage);
      }
    }
  },
};

async function timeToEnd(command: Command): Promise<number> {
  const startedAt = performance.now();
  await using child = startChild(command, { name: command.args.join(' ') });
  child.process.stdout?.resume();
  const code = await child.ended;
  if (code !== 0) throw new Error(`${command.args.join(' ')} ended with ${code}`);
  return performance.now() - startedAt;
}

async function timeToReady({ redis, sink }: Stage): Promise<number> {
  const startedAt = performance.now();
  const command = workerCommand({ redisUrl: redis.url, elasticsearchUrl: sink.url });
  await using worker = startChild(command, { name: 'our worker' });
  const address = await worker.during(addressOf(worker.process.stdout));
  while (!(await fetch(`${address}/readyz`)).ok) await worker.during(sleep(POLL_MS));
  return performance.now() - startedAt;
}
