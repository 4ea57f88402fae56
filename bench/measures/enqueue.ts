import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { BIN } from '../contenders/ours.ts';
import type { Figure } from '../figures/figure.ts';
import { type ProducingWay, produce } from '../producers/produce.ts';
import { type Command, startChild } from '../stage/child.ts';
import { reportsFrom } from '../stage/reports.ts';
import type { Stage } from '../stage/stage.ts';
import { inRounds } from './in-rounds.ts';
import type { Measure } from './measure.ts';

const TITLES = {
  library_each: 'library, all by one call (reportEach)',
  library_many: 'library, all by one call (reportMany)',
  library_50: 'library, report() with 50 under way',
  library_one: 'library, report() awaited one by one',
  add_bulk: 'BullMQ, addBulk of 500 with 4 in flight',
  add_one: 'BullMQ, add() awaited one by one',
  cli: 'command line, `report --file`, start to end',
  script: 'a script of addBulk, the same file, start to end',
  http: 'HTTP, one request of NDJSON',
} as const satisfies Readonly<Record<string, string>>;

type Way = keyof typeof TITLES;

const WAYS = Object.keys(TITLES) as readonly Way[];

/** A call that waits for each is slow enough for fewer to tell as much. */
const ONE_BY_ONE_SHARE = 0.2;

/** How fast reports are taken into the queue while nobody works on it. */
export const enqueue: Measure = {
  id: 'enqueue',
  title: 'Enqueuing',
  async run({ stage, sizes, rounds, say }) {
    const { redis, logFolder } = stage;
    const count = sizes.batchReports;
    const file = join(logFolder, 'reports.ndjson');
    await writeFile(file, ndjson(count));

    const rates = await inRounds(rounds, WAYS, async (way, round) => {
      await redis.client.flushall();
      const perSecond = await rateOf(way);
      say(`round ${round + 1}, enqueue ${way}: ${Math.round(perSecond)}/s`);
      return perSecond;
    });
    await redis.client.flushall();
    return [...rates].map(
      ([way, samples]): Figure => ({ key: `enqueue.${way}`, title: TITLES[way], unit: 'reports/s', samples }),
    );

    async function rateOf(way: Way): Promise<number> {
      switch (way) {
        case 'cli':
          return (
            (count * 1_000) /
            (await duration({ args: [BIN, 'report', '--file', file], env: { REDIS_URL: redis.url } }))
          );
        case 'script':
          return (count * 1_000) / (await duration({ args: [SCRIPT, file, redis.url], env: {} }));
        case 'http':
          return byHttp(stage, count);
        case 'library_one':
        case 'add_one':
          return fromProcess(way, Math.ceil(count * ONE_BY_ONE_SHARE));
        case 'library_each':
        case 'library_many':
        case 'library_50':
        case 'add_bulk':
          return fromProcess(way, count);
      }
    }

    function fromProcess(way: ProducingWay, reports: number): Promise<number> {
      return produce({ way, redisUrl: redis.url, warmUpReports: reports, reports });
    }
  },
};

const SCRIPT = fileURLToPath(new URL('../producers/add-bulk-file.ts', import.meta.url));

/** Milliseconds from the start of a process to its end. @throws {Error} where it fails */
async function duration(command: Command): Promise<number> {
  const startedAt = performance.now();
  await using child = startChild(command, { name: command.args.slice(0, 2).join(' ') });
  child.process.stdout?.resume();
  const code = await child.ended;
  if (code !== 0) throw new Error(`${command.args.join(' ')} ended with ${code}`);
  return performance.now() - startedAt;
}

/** Reports a second of a request that a warm server takes in. */
async function byHttp({ redis }: Stage, count: number): Promise<number> {
  await using server = startChild(
    { args: [BIN, 'serve'], env: { REDIS_URL: redis.url, HTTP_PORT: '0' } },
    { name: 'serve' },
  );
  const address = await server.during(addressOf(server.process.stdout));
  const bodies = [ndjson(count), ndjson(count, count)];
  let tookMs = 0;
  for (const body of bodies) {
    const startedAt = performance.now();
    const response = await fetch(`${address}/v1/reports`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    });
    const answer = await response.text();
    tookMs = performance.now() - startedAt;
    if (!response.ok) throw new Error(`HTTP answered ${response.status}: ${answer.slice(0, 200)}`);
  }
  return (count * 1_000) / tookMs;
}

/** The address in the first line of a log that names one. */
export async function addressOf(output: Readable | null): Promise<string> {
  if (output === null) throw new Error('the process has no standard output');
  for await (const line of createInterface({ input: output })) {
    const address = (JSON.parse(line) as { readonly address?: string }).address;
    if (address === undefined) continue;
    output.resume();
    return address;
  }
  throw new Error('the log names no address');
}

/** Reports as lines of JSON. */
export function ndjson(count: number, from = 0): string {
  return `${Array.from(reportsFrom(from, count), (report) => JSON.stringify(report)).join('\n')}\n`;
}
