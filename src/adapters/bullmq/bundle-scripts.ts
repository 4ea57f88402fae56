/**
 * Scripts over the reports that are in bundles. Beside the queue's own keys there are
 *
 * - `<prefix>:bundled:<queue>`: a hash, from the id of each report in a bundle to its bundle. A report leaves it when it is
 *   settled, or becomes a job of its own.
 * - `<prefix>:bundles:<queue>`: the ids of all bundles.
 * - `relay:reports`, a field in a bundle's own hash: how many of its reports are still to be settled with it.
 *
 * BullMQ's additions cannot be made conditional, but it adds nothing where a job exists: a placeholder in its place
 * keeps out what must not be added, within one transaction, where nobody else sees it.
 */
import type { QueueNames } from './names.ts';

/** Where bundles are known. */
export interface BundleKeys {
  /** What the key of every job begins with. */
  readonly jobs: string;
  readonly bundled: string;
  readonly bundles: string;
  /** Where reports are counted, see `account.ts`. */
  readonly account: string;
}

/** The keys below a relay's prefix; several queues may share one. */
export function bundleKeys({ prefix, queue }: QueueNames): BundleKeys {
  return {
    jobs: `${prefix}:${queue}:`,
    bundled: `${prefix}:bundled:${queue}`,
    bundles: `${prefix}:bundles:${queue}`,
    account: `${prefix}:account:${queue}`,
  };
}

/** Scripts that stand in transactions are sent whole each time, so that they hold what they need and no remarks. */
function script(...parts: readonly string[]): string {
  return parts
    .join('\n')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('--'))
    .join('\n');
}

const JOBS_AND_BUNDLED = 'local jobs, bundled = KEYS[1], KEYS[2]';

const IS_ON_ITS_WAY = `
-- Whether a report waits or is under way, in a job of its own or in a bundle that is still there.
local function isOnItsWay(id)
  if redis.call('EXISTS', jobs .. id) == 1 then return true end
  local bundle = redis.call('HGET', bundled, id)
  return bundle and redis.call('EXISTS', jobs .. bundle) == 1
end`;

const COUNT_OUT = `
-- Counts reports that have left a bundle.
local function countOut(bundle, reports)
  if redis.call('HEXISTS', jobs .. bundle, 'relay:reports') == 1 then
    redis.call('HINCRBY', jobs .. bundle, 'relay:reports', -reports)
  end
end`;

const KEEP_OUT = `
local function keepOut(job)
  if redis.call('EXISTS', jobs .. job) == 0 then redis.call('HSET', jobs .. job, 'relay:placeholder', 1) end
end`;

const WAS_KEPT_OUT = `
-- Takes a placeholder away again, and says whether there was one.
local function wasKeptOut(job)
  if redis.call('HEXISTS', jobs .. job, 'relay:placeholder') == 0 then return false end
  redis.call('DEL', jobs .. job)
  return true
end`;

const IS_PENDING_IN = `
-- Whether a report is still to be settled with this bundle. One that was stored without a note of its reports, by
-- another hand, counts with all of them that are nowhere else.
local function isPendingIn(bundle, id)
  local owner = redis.call('HGET', bundled, id)
  if owner then return owner == bundle end
  return redis.call('EXISTS', jobs .. bundle) == 1 and redis.call('HEXISTS', jobs .. bundle, 'relay:reports') == 0
    and redis.call('EXISTS', jobs .. id) == 0
end`;

/**
 * Before BullMQ adds jobs. KEYS: jobs, bundled, bundles, account. ARGV: for each job its id, the number of its reports, their ids.
 *
 * Returns for each report, in one text, 1 where it is on its way already and 0 where it is new. A job of which no
 * report is new is kept out. Where the answer to the same transaction was lost and it is sent again, its bundle is
 * there already, and what it holds is as new as it was.
 */
export const BEGIN_ADD: string = script(
  JOBS_AND_BUNDLED,
  IS_ON_ITS_WAY,
  KEEP_OUT,
  `
local known, at = {}, 1
while at <= #ARGV do
  local job, last, isNew = ARGV[at], at + 1 + tonumber(ARGV[at + 1]), false
  local isRepeated = ARGV[at + 2] ~= job and redis.call('EXISTS', jobs .. job) == 1
  for i = at + 2, last do
    local isKnown = isOnItsWay(ARGV[i]) and not (isRepeated and redis.call('HGET', bundled, ARGV[i]) == job)
    known[#known + 1] = isKnown and '1' or '0'
    isNew = isNew or not isKnown
  end
  if not isNew then keepOut(job) end
  at = last + 1
end
-- Redis always takes a key away, and refuses to set one where it is full: then nothing is known after the additions.
redis.call('DEL', KEYS[4] .. ':step')
redis.call('SET', KEYS[4] .. ':step', table.concat(known))
return table.concat(known)`,
);

/**
 * After it has added them. KEYS: jobs, bundled, bundles, account. ARGV: as for \`BEGIN_ADD\`. A bundle takes those of its
 * reports that are new, and only where its job is there, and once: sent again, it takes nothing, because what is no
 * longer in it has been settled.
 */
export const END_ADD: string = script(
  JOBS_AND_BUNDLED,
  IS_ON_ITS_WAY,
  WAS_KEPT_OUT,
  `
local known = redis.call('GET', KEYS[4] .. ':step') or ''
redis.call('DEL', KEYS[4] .. ':step')
local at, report, accepted, bundles = 1, 1, 0, 0
while at <= #ARGV do
  local job, last = ARGV[at], at + 1 + tonumber(ARGV[at + 1])
  local isThere = not wasKeptOut(job) and redis.call('HEXISTS', jobs .. job, 'data') == 1
  if isThere and ARGV[at + 2] == job then
    if string.sub(known, report, report) == '0' then accepted = accepted + 1 end
  elseif isThere and redis.call('HEXISTS', jobs .. job, 'relay:reports') == 0 then
    local taken = 0
    for i = at + 2, last do
      if not isOnItsWay(ARGV[i]) then
        redis.call('HSET', bundled, ARGV[i], job)
        taken = taken + 1
      end
    end
    redis.call('HSET', jobs .. job, 'relay:reports', taken)
    redis.call('SADD', KEYS[3], job)
    accepted = accepted + taken
    bundles = bundles + 1
  end
  report = report + last - at - 1
  at = last + 1
end
if accepted > 0 then redis.call('HINCRBY', KEYS[4], 'accepted', accepted) end
if bundles > 0 then redis.call('HINCRBY', KEYS[4], 'bundles', bundles) end
return 1`,
);

/** KEYS: jobs, bundled. ARGV: bundle, reports. Returns, in one text, 1 for each that is still to be settled with it. */
export const PENDING: string = script(
  JOBS_AND_BUNDLED,
  IS_PENDING_IN,
  `
local pending = {}
for i = 2, #ARGV do pending[#pending + 1] = isPendingIn(ARGV[1], ARGV[i]) and '1' or '0' end
return table.concat(pending)`,
);

/** Before BullMQ adds reports that leave a bundle. KEYS: jobs, bundled. ARGV: bundle, reports. */
export const BEGIN_TAKE_OUT: string = script(
  JOBS_AND_BUNDLED,
  IS_PENDING_IN,
  KEEP_OUT,
  `
for i = 2, #ARGV do
  if not isPendingIn(ARGV[1], ARGV[i]) then keepOut(ARGV[i]) end
end
return 1`,
);

/**
 * After it has added them. KEYS: jobs, bundled. ARGV: bundle, then for each report its id, attempts made, starts,
 * crashes and history. A report leaves its bundle only where its job is there, so that none is lost where the
 * addition was refused.
 *
 * Returns how many are in neither place where they should be: 0, or they have to be taken out again.
 */
export const END_TAKE_OUT: string = script(
  JOBS_AND_BUNDLED,
  COUNT_OUT,
  WAS_KEPT_OUT,
  `
local left = 0
for i = 2, #ARGV, 5 do
  local id = ARGV[i]
  local key = jobs .. id
  if not wasKeptOut(id) then
    if redis.call('HEXISTS', key, 'data') == 0 then
      left = left + 1
    else
      if redis.call('HEXISTS', key, 'ats') == 0 then
        redis.call('HSET', key, 'atm', ARGV[i + 1], 'ats', ARGV[i + 2], 'progress', ARGV[i + 4])
        if ARGV[i + 3] ~= '0' then redis.call('HSET', key, 'stc', ARGV[i + 3]) end
      end
      if redis.call('HGET', bundled, id) == ARGV[1] then
        redis.call('HDEL', bundled, id)
        countOut(ARGV[1], 1)
      end
    end
  end
end
return left`,
);

/** KEYS: jobs, bundled, bundles, account. ARGV: bundle, whether these are the last, reports. */
export const NOTE_SETTLED: string = script(
  JOBS_AND_BUNDLED,
  COUNT_OUT,
  `
local settled = 0
for i = 3, #ARGV do
  if redis.call('HGET', bundled, ARGV[i]) == ARGV[1] then
    redis.call('HDEL', bundled, ARGV[i])
    settled = settled + 1
  end
end
if settled > 0 then
  redis.call('HINCRBY', KEYS[4], 'settled', settled)
  countOut(ARGV[1], settled)
end
if ARGV[2] == '1' then redis.call('SREM', KEYS[3], ARGV[1]) end
return 1`,
);

/**
 * KEYS: jobs, bundled, bundles. Returns how many bundles there are and how many reports in them, and the same of
 * those that are under way.
 */
export const COUNT: string = `
local bundles, reports = 0, 0
if redis.call('SCARD', KEYS[3]) > 0 then
  for _, id in ipairs(redis.call('LRANGE', KEYS[1] .. 'active', 0, -1)) do
    if redis.call('SISMEMBER', KEYS[3], id) == 1 then
      bundles = bundles + 1
      reports = reports + (tonumber(redis.call('HGET', KEYS[1] .. id, 'relay:reports')) or 0)
    end
  end
end
return { redis.call('SCARD', KEYS[3]), redis.call('HLEN', KEYS[2]), bundles, reports }`;

/**
 * KEYS: jobs, bundled, bundles. ARGV: cursor. Returns the next cursor, and of a page of the bundles those whose job is
 * gone by another hand than ours.
 */
export const FIND_GONE: string = `
local page = redis.call('SSCAN', KEYS[3], ARGV[1], 'COUNT', 200)
local reply = { page[1] }
for _, id in ipairs(page[2]) do
  if redis.call('EXISTS', KEYS[1] .. id) == 0 then
    reply[#reply + 1] = id
  end
end
return reply`;

/** KEYS: jobs, bundled. ARGV: cursor, bundles that are gone. Forgets a page of the reports that were in them. */
export const FORGET_REPORTS: string = `
local page = redis.call('HSCAN', KEYS[2], ARGV[1], 'COUNT', 500)
local gone = {}
for i = 2, #ARGV do gone[ARGV[i]] = true end
for i = 1, #page[2], 2 do
  if gone[page[2][i + 1]] then redis.call('HDEL', KEYS[2], page[2][i]) end
end
return page[1]`;
