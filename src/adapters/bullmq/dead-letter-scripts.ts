/**
 * Dead letters in Redis, under one hash tag, so that a script may touch all of it on Redis Cluster as well:
 *
 * - `<root>:letter:<id>`: a line `<time> <edits> <tag> <tag> …`, then the letter as JSON. The line lets a
 *   script take a letter out of its indexes without reading the letter. Time and edits together are its version.
 * - `<root>:all`: the ids of all letters by the time of their death.
 * - `<root>:<tag>`: those of the letters with a tag, see `tagsOf`.
 * - `<root>:totals`: how many letters have left, by way and code.
 * - `<root>:audit`: a bounded stream of what people did.
 *
 * Not a BullMQ queue, because a letter is looked up, filtered and taken out of the middle, which a queue's list
 * makes slower with every letter.
 */
const LETTERS = `
local root = KEYS[1]

-- The words of a letter's first line, or nothing where there is no letter.
local function headOf(id)
  local text = redis.call('GETRANGE', root .. ':letter:' .. id, 0, 1023)
  local stop = string.find(text, '\\n', 1, true)
  if not stop then return nil end
  local words = {}
  for word in string.gmatch(string.sub(text, 1, stop - 1), '%S+') do words[#words + 1] = word end
  return words
end

local function versionOf(words) return words[1] .. ' ' .. words[2] end

local function put(id, value, time, tags, from)
  redis.call('SET', root .. ':letter:' .. id, value)
  redis.call('ZADD', root .. ':all', time, id)
  for i = from, #tags do redis.call('ZADD', root .. ':' .. tags[i], time, id) end
end

-- Takes a letter away, and says which code it had.
local function forget(id, words)
  local code = ''
  redis.call('ZREM', root .. ':all', id)
  for i = 3, #words do
    redis.call('ZREM', root .. ':' .. words[i], id)
    if string.sub(words[i], 1, 5) == 'code:' then code = string.sub(words[i], 6) end
  end
  redis.call('UNLINK', root .. ':letter:' .. id)
  return code
end
`;

/** KEYS: root, and a key that must not exist. ARGV: id, value, time, tags. */
export const ADD_LETTER: string = `${LETTERS}
if redis.call('EXISTS', KEYS[2]) == 1 then return -1 end
if redis.call('EXISTS', root .. ':letter:' .. ARGV[1]) == 1 then return 0 end
put(ARGV[1], ARGV[2], ARGV[3], ARGV, 4)
return 1`;

/** KEYS: root. ARGV: id, its version, an audit entry, the stream's length, value, time, tags. */
export const REPLACE_LETTER: string = `${LETTERS}
local words = headOf(ARGV[1])
if not words or versionOf(words) ~= ARGV[2] then return 0 end
forget(ARGV[1], words)
put(ARGV[1], ARGV[5], ARGV[6], ARGV, 7)
redis.call('XADD', root .. ':audit', 'MAXLEN', '~', ARGV[4], '*', 'entry', ARGV[3])
return 1`;

/** KEYS: root. ARGV: how they go, how many letters to leave in all, then id and version of each. */
export const REMOVE_LETTERS: string = `${LETTERS}
local removed = {}
local left = redis.call('ZCARD', root .. ':all')
for i = 3, #ARGV, 2 do
  if left <= tonumber(ARGV[2]) then break end
  local words = headOf(ARGV[i])
  if words and versionOf(words) == ARGV[i + 1] then
    local code = forget(ARGV[i], words)
    redis.call('HINCRBY', root .. ':totals', ARGV[1] .. ':' .. code, 1)
    removed[#removed + 1] = ARGV[i]
    left = left - 1
  end
end
return removed`;

/**
 * KEYS: root, the index to walk along. ARGV: order, time from, time before, time and id to go on after, ranks to
 * pass over, letters to look at, letters to find (-1: count only), bytes to look through, a text in lower case, and
 * the tags that a letter must have as well. Absent ones are empty.
 *
 * Returns the number of letters in the span of time, how many matched, whether the end was reached, time and id of
 * the last one looked at, then id and version of each.
 */
export const FIND_LETTERS: string = `${LETTERS}
local index = KEYS[2]
local newest = ARGV[1] == 'newest'
local from, before = ARGV[2], ARGV[3]

-- Redis orders bytewise; Lua's own comparison follows the locale.
local function isGreater(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x > y end
  end
  return #a > #b
end

local function countAbove(time) return redis.call('ZCOUNT', index, '(' .. time, '+inf') end
local function countFrom(time) return redis.call('ZCOUNT', index, time, '+inf') end
local size = redis.call('ZCARD', index)
local first, stop
if newest then
  first = before == '' and 0 or countFrom(before)
  stop = from == '' and size or countFrom(from)
else
  first = from == '' and 0 or size - countFrom(from)
  stop = before == '' and size or size - countFrom(before)
end
local total = math.max(0, stop - first)

if ARGV[4] ~= '' then
  local low, high = countAbove(ARGV[4]), countFrom(ARGV[4])
  if not newest then low, high = size - high, size - low end
  while low < high do
    local middle = math.floor((low + high) / 2)
    local id = redis.call(newest and 'ZREVRANGE' or 'ZRANGE', index, middle, middle)[1]
    local isPast
    if newest then isPast = isGreater(ARGV[5], id) else isPast = isGreater(id, ARGV[5]) end
    if isPast then high = middle else low = middle + 1 end
  end
  first = math.max(first, low)
end
first = first + tonumber(ARGV[6])

local many, wanted, bytes, text = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]
local last = math.min(stop, first + many) - 1
local reply = { total, 0, 0, ARGV[4], ARGV[5] }
if first > last then
  reply[3] = 1
  return reply
end
local ids = redis.call(newest and 'ZREVRANGE' or 'ZRANGE', index, first, last, 'WITHSCORES')
local matched, looked = 0, 0
for i = 1, #ids, 2 do
  if wanted >= 0 and matched >= wanted or bytes < 0 then break end
  local id = ids[i]
  local isMatch = true
  for t = 11, #ARGV do
    if not redis.call('ZSCORE', root .. ':' .. ARGV[t], id) then
      isMatch = false
      break
    end
  end
  if isMatch and text ~= '' then
    local value = redis.call('GET', root .. ':letter:' .. id) or ''
    bytes = bytes - #value
    isMatch = string.find(string.lower(value), text, 1, true) ~= nil
  end
  if isMatch then
    matched = matched + 1
    if wanted >= 0 then
      local words = headOf(id)
      reply[#reply + 1] = id
      reply[#reply + 1] = words and versionOf(words) or ''
    end
  end
  looked = looked + 1
  reply[4], reply[5] = ids[i + 1], id
end
reply[2] = matched
if first + looked >= stop then reply[3] = 1 end
return reply`;

/**
 * A redrive's three steps in one transaction, with BullMQ's own additions between the first and the last.
 *
 * 1. This one judges each letter. BullMQ adds nothing where a job exists, so that a job that must not be added is
 *    kept out by a placeholder in its place.
 * 2. BullMQ adds each job.
 * 3. `END_MOVE` takes away the placeholders, and of each letter that has become a job the letter. A letter goes
 *    only where its job is there, so that none is lost even if BullMQ's addition was refused.
 *
 * KEYS: root, what every job's key begins with, the reports in bundles. ARGV: run, lease, letters of the same code to stop at (0: never),
 * the lease's length in milliseconds, then letter, version and job id of each.
 */
export const BEGIN_MOVE: string = `${LETTERS}
local jobs = KEYS[2]
local run = root .. ':run:' .. ARGV[1]
local stop
if redis.call('GET', root .. ':redrive-lease') ~= ARGV[2] then
  stop = 'lost'
elseif redis.call('HGET', run, 'state') ~= 'running' then
  stop = 'cancelled'
elseif ARGV[3] ~= '0' and redis.call('ZCARD', root .. ':same:' .. ARGV[1]) >= tonumber(ARGV[3]) then
  stop = 'same_code'
else
  redis.call('PEXPIRE', root .. ':redrive-lease', ARGV[4])
end
local verdicts, seen = {}, {}
for i = 5, #ARGV, 3 do
  local key = jobs .. ARGV[i + 2]
  local isThere = redis.call('EXISTS', key) == 1
  local bundle = redis.call('HGET', KEYS[3], ARGV[i + 2])
  local isBundled = bundle and redis.call('EXISTS', jobs .. bundle) == 1
  local words = headOf(ARGV[i])
  local verdict = 'redriven'
  if stop then verdict = stop
  elseif isThere or isBundled or seen[key] then verdict = 'on_its_way'
  elseif not words or versionOf(words) ~= ARGV[i + 1] then verdict = 'changed' end
  if verdict ~= 'redriven' and not isThere and not seen[key] then redis.call('HSET', key, 'relay:placeholder', 1) end
  if verdict == 'redriven' then seen[key] = true end
  verdicts[#verdicts + 1] = verdict
end
redis.call('SET', root .. ':redrive-step', cjson.encode(verdicts))
return stop or 'go'`;

/**
 * KEYS: root, what every job's key begins with, the reports in bundles. ARGV: run, now, time and id of the last letter, whether these are
 * canaries, then letter, job id and the job's history for each.
 */
export const END_MOVE: string = `${LETTERS}
local jobs = KEYS[2]
local run = root .. ':run:' .. ARGV[1]
local verdicts = cjson.decode(redis.call('GET', root .. ':redrive-step'))
redis.call('DEL', root .. ':redrive-step')
local at = 0
local isStopped = false
for i = 6, #ARGV, 3 do
  at = at + 1
  local key = jobs .. ARGV[i + 1]
  local verdict = verdicts[at]
  if verdict == 'redriven' then
    local words = headOf(ARGV[i])
    if redis.call('HEXISTS', key, 'data') == 1 and words then
      redis.call('HSET', key, 'progress', ARGV[i + 2])
      local code = forget(ARGV[i], words)
      redis.call('HINCRBY', root .. ':totals', 'redriven:' .. code, 1)
      if ARGV[5] == '1' then redis.call('RPUSH', run .. ':canaries', ARGV[i], ARGV[i + 1]) end
    else
      verdict = 'failed'
      verdicts[at] = verdict
    end
  elseif redis.call('HEXISTS', key, 'relay:placeholder') == 1 and redis.call('HEXISTS', key, 'data') == 0 then
    redis.call('DEL', key)
  end
  if verdict == 'lost' or verdict == 'cancelled' or verdict == 'same_code' then
    isStopped = true
  else
    redis.call('HINCRBY', run, verdict, 1)
  end
end
if not isStopped then
  redis.call('HSET', run, 'after_ms', ARGV[3], 'after_id', ARGV[4], 'updated_at', ARGV[2])
end
return verdicts`;
