import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BIN } from '../contenders/ours.ts';
import { startChild } from '../stage/child.ts';
import { nowMs } from '../stage/now.ts';
import { startOurWorker } from '../stage/start-our-worker.ts';
import { ndjson } from './enqueue.ts';
import { inRounds } from './in-rounds.ts';
import type { Measure } from './measure.ts';

const LATENCY_MS = 20;

/** One batch by the command line, from its start until the last report is applied, by a worker that just started. */
export const batch: Measure = {
  id: 'batch',
  title: `One batch by file, Elasticsearch at ${LATENCY_MS} ms`,
  async run({ stage, sizes, rounds, say }) {
    const { redis, sink, logFolder } = stage;
    const file = join(logFolder, 'batch.ndjson');
    await writeFile(file, ndjson(sizes.batchReports));
    const took = await inRounds(rounds, ['applied'], async (_name, round) => {
      await redis.client.flushall();
      await sink.reset({ latencyMs: LATENCY_MS });
      await using worker = await startOurWorker(stage, redis.url);
      const startedAtMs = nowMs();
      await using cli = startChild(
        { args: [BIN, 'report', '--file', file], env: { REDIS_URL: redis.url } },
        { name: 'report --file' },
      );
      cli.process.stdout?.resume();
      const code = await cli.ended;
      if (code !== 0) throw new Error(`report --file ended with ${code}`);
      const acceptedMs = nowMs() - startedAtMs;
      const appliedMs = (await worker.during(sink.reach(sizes.batchReports))).atMs - startedAtMs;
      say(
        `round ${round + 1}, batch: accepted after ${acceptedMs.toFixed(0)} ms, applied after ${appliedMs.toFixed(0)} ms`,
      );
      return { acceptedMs, appliedMs };
    });
    await redis.client.flushall();
    const of = took.get('applied') ?? [];
    const title = `${sizes.batchReports.toLocaleString('en')} reports by \`report --file\``;
    return [
      {
        key: 'batch.accepted',
        title: `${title}: all accepted`,
        unit: 's',
        samples: of.map(({ acceptedMs }) => acceptedMs / 1_000),
      },
      {
        key: 'batch.applied',
        title: `${title}: all applied`,
        unit: 's',
        samples: of.map(({ appliedMs }) => appliedMs / 1_000),
      },
    ];
  },
};
