/** What somebody would write to take an NDJSON file into BullMQ: `node add-bulk-file.ts FILE REDIS_URL`. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { BULK, JOB_OPTIONS, openQueue } from '../contenders/bullmq-producer.ts';

const [, , file = '', redisUrl = ''] = process.argv;
const queue = openQueue(redisUrl);
const underWay = new Set<Promise<unknown>>();
let jobs: { name: string; data: unknown; opts: typeof JOB_OPTIONS }[] = [];

for await (const line of createInterface({ input: createReadStream(file) })) {
  jobs.push({ name: 'report', data: JSON.parse(line), opts: JOB_OPTIONS });
  if (jobs.length < BULK.reports) continue;
  if (underWay.size >= BULK.inFlight) await Promise.race(underWay);
  send();
}
if (jobs.length > 0) send();
await Promise.all(underWay);
await queue.close();

function send(): void {
  const sending = queue.addBulk(jobs).finally(() => underWay.delete(sending));
  underWay.add(sending);
  jobs = [];
}
