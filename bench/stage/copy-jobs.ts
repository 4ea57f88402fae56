import type { Redis } from 'ioredis';
import { relayTo } from '../contenders/ours.ts';
import { reportOf } from './reports.ts';

/** Copies one job under new ids, each with a sync job of its own, and puts the copies in line. */
const COPY = `
local template, wait, prefix, from = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local fields = redis.call('HGETALL', template)
local at
for i = 1, #fields, 2 do if fields[i] == 'data' then at = i + 1 end end
local data = fields[at]
for n = from, from + tonumber(ARGV[3]) - 1 do
  fields[at] = string.gsub(data, '"job%-0"', '"job-' .. n .. '"', 1)
  local id = 'r-copy-' .. n
  redis.call('HSET', prefix .. id, unpack(fields))
  redis.call('LPUSH', wait, id)
end`;

const COPIES_A_CALL = 1_000;
const NAMES = '{sync-error-relay}:reports:';

/**
 * Puts very many reports in line, each a job of its own, in less time than a million calls of the library take:
 * the library makes one job, and Redis copies it.
 *
 * @param from the first copy's number, from 1
 */
export async function copyJobs(redis: Redis, redisUrl: string, from: number, count: number): Promise<void> {
  await using relay = relayTo({ redisUrl });
  const made = await relay.report(reportOf(0));
  if (made.status === 'invalid') throw new Error('the report to copy was refused');
  for (let next = from; next < from + count; next += COPIES_A_CALL) {
    await redis.eval(
      COPY,
      2,
      `${NAMES}${made.id}`,
      `${NAMES}wait`,
      NAMES,
      next,
      Math.min(COPIES_A_CALL, from + count - next),
    );
  }
}
