/**
 * The account of a queue: each count is made in the very step that it is a count of, so that no crash comes between.
 *
 * - `<prefix>:account:<queue>`, a hash: `accepted`, reports that were new when a producer of ours added them; `bundles`, the
 *   jobs that hold several of them; `settled`, reports that came to their end within such a job; `swept`, failed jobs
 *   that were taken away after their dead letter was written.
 * - BullMQ's own `metrics:completed`: jobs that came to their end, of either kind.
 * - `redriven:<code>` among the totals of the dead letters: reports that came back.
 */
import type { Redis } from 'ioredis';
import type { QueueAccount } from '../../pipeline/ports.ts';
import { bundleKeys } from './bundle-scripts.ts';
import { letterKeys } from './dead-letter-keys.ts';
import type { QueueNames } from './names.ts';
import { countOf } from './queued-job.ts';
import { runScript } from './run-script.ts';

/** Minutes of which BullMQ keeps how many jobs were completed in each; it counts the sum only where it keeps some. */
export const COMPLETED_KEPT_MINUTES = 60;

/** KEYS: jobs, bundled, account, the totals of the dead letters. All of it is of one moment. */
const READ: string = `
local jobs = KEYS[1]
local function count(field) return tonumber(redis.call('HGET', KEYS[3], field)) or 0 end
local inQueue = 0
for _, list in ipairs({ 'wait', 'paused', 'active' }) do inQueue = inQueue + redis.call('LLEN', jobs .. list) end
for _, set in ipairs({ 'delayed', 'prioritized', 'failed' }) do inQueue = inQueue + redis.call('ZCARD', jobs .. set) end
local completed = tonumber(redis.call('HGET', jobs .. 'metrics:completed', 'count')) or 0
local redriven, totals = 0, redis.call('HGETALL', KEYS[4])
for i = 1, #totals, 2 do
  if string.sub(totals[i], 1, 9) == 'redriven:' then redriven = redriven + (tonumber(totals[i + 1]) or 0) end
end
return { count('accepted'), redriven, inQueue, redis.call('HLEN', KEYS[2]), completed, count('bundles'),
  count('settled'), count('swept') }`;

/** Reads the account. */
export async function readAccount(redis: Redis, names: QueueNames): Promise<QueueAccount> {
  const { jobs, bundled, account } = bundleKeys(names);
  const keys = [jobs, bundled, account, `${letterKeys(names).root}:totals`];
  const counts = (await runScript(redis, READ, keys, [])) as number[];
  const [accepted = 0, redriven = 0, inQueue = 0, inBundles = 0, completed = 0, bundles = 0] = counts;
  const [settledInBundles, swept] = [countOf(counts[6]), countOf(counts[7])];
  // A bundle is one job, in the queue or completed; what is in it is counted by itself.
  const jobsOfOneReport = inQueue + completed - bundles;
  return {
    accepted,
    redriven,
    unaccounted: accepted + redriven - (jobsOfOneReport + swept) - (inBundles + settledInBundles),
  };
}
