/** Hands reports in one of several ways, and tells its parent how many milliseconds that took. */
import { addInBulk, JOB_OPTIONS, openQueue } from '../contenders/bullmq-producer.ts';
import { reportOf, reportsFrom } from '../stage/reports.ts';
import { openBuiltRelay } from './built-library.ts';
import type { Production } from './produce.ts';

const { way, redisUrl, warmUpReports, reports } = JSON.parse(
  process.env['BENCH_PRODUCTION'] ?? '',
) as Production;

const handIn = await openWay(way);
await handIn(0, warmUpReports);
const startedAt = performance.now();
await handIn(warmUpReports, reports);
process.send?.(performance.now() - startedAt, () => process.exit());

type HandIn = (from: number, count: number) => Promise<void>;

async function openWay(way: Production['way']): Promise<HandIn> {
  if (way === 'add_bulk' || way === 'add_one') return viaBullmq(way);
  const relay = await openBuiltRelay(redisUrl);
  const handInNumber = (number: number): Promise<unknown> => relay.report(reportOf(number));
  switch (way) {
    case 'library_each':
      return async (from, count) => {
        let queued = 0;
        for await (const { status } of relay.reportEach(reportsFrom(from, count)))
          queued += status === 'queued' ? 1 : 0;
        expectAll(queued, count);
      };
    case 'library_many':
      return async (from, count) => {
        const results = await relay.reportMany(reportsFrom(from, count));
        expectAll(results.filter(({ status }) => status === 'queued').length, count);
      };
    case 'library_50':
      return (from, count) => inLanes(50, from, count, handInNumber);
    case 'library_one':
      return (from, count) => inLanes(1, from, count, handInNumber);
  }
}

function viaBullmq(way: 'add_bulk' | 'add_one'): HandIn {
  const queue = openQueue(redisUrl);
  return way === 'add_bulk'
    ? async (from, count) => {
        await addInBulk(queue, from, count);
      }
    : (from, count) =>
        inLanes(1, from, count, (number) => queue.add('report', reportOf(number), JOB_OPTIONS));
}

/** So many calls under way at once. */
async function inLanes(
  lanes: number,
  from: number,
  count: number,
  call: (number: number) => Promise<unknown>,
): Promise<void> {
  let next = from;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < from + count) await call(next++);
    }),
  );
}

function expectAll(queued: number, count: number): void {
  if (queued !== count) throw new Error(`${queued} of ${count} reports were queued`);
}
