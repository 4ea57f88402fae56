/** Hands reports in at a steady rate, none waiting for another, and tells its parent when each was. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@elastic/elasticsearch';
import { JOB_OPTIONS, openQueue } from '../contenders/bullmq-producer.ts';
import { nowMs } from '../stage/now.ts';
import { reportOf } from '../stage/reports.ts';
import { openBuiltRelay } from './built-library.ts';
import type { SteadyProduction } from './steady.ts';

const { way, redisUrl, elasticsearchUrl, perSecond, from, count } = JSON.parse(
  process.env['BENCH_PRODUCTION'] ?? '',
) as SteadyProduction;

const call = await openWay();
const handedInAtMs = new Float64Array(count);
const underWay: Promise<unknown>[] = [];
const startedAtMs = nowMs();
for (let index = 0; index < count; index += 1) {
  const waitMs = startedAtMs + (index * 1_000) / perSecond - nowMs();
  // What is due within this millisecond goes now: a timer has no finer measure.
  if (waitMs >= 1) await sleep(waitMs);
  else if (index % 64 === 0) await sleep(0);
  handedInAtMs[index] = nowMs();
  underWay.push(call(from + index));
}
await Promise.all(underWay);
process.send?.(handedInAtMs, () => process.exit());

async function openWay(): Promise<(number: number) => Promise<unknown>> {
  switch (way) {
    case 'relay': {
      const relay = await openBuiltRelay(redisUrl);
      await relay.check();
      return (number) => relay.report(reportOf(number));
    }
    case 'bullmq': {
      const queue = openQueue(redisUrl);
      await queue.waitUntilReady();
      return (number) => queue.add('report', reportOf(number), JOB_OPTIONS);
    }
    case 'direct': {
      const client = new Client({ node: elasticsearchUrl });
      const send = (number: number): Promise<unknown> => {
        const { connector_sync_job_id, error } = reportOf(number);
        return client.connector.syncJobError({ connector_sync_job_id, error });
      };
      // A worker has its own warm-up; here nobody else does the work.
      for (let number = 0; number < from; number += 10) {
        await Promise.all(
          Array.from({ length: Math.min(10, from - number) }, (_, index) => send(number + index)),
        );
      }
      return send;
    }
  }
}
