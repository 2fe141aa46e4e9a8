-- Move the position and apply everything that goes with it, or nothing at all.
--
-- KEYS   1 meta (the other keys of the partition share its hash tag)   2, 3 the registry of queues, and its retired names
--        4, 5 the same for channels   6, 7 for counters
-- ARGV   1 key prefix   2 token   3 from   4 to   5 batch   6 partition time
--        7 cells      per bucket: resolution, start, n, then n × (field, packed cell)
--        8 visits     contact, packed visits, …
--        9 closed     contact, …
--       10 recent     hour by its first minute, hashes, …; a day is numbered from 10^9 on (`codec.DAYS_FROM`)
--       11 the last minute whose hashes are dropped, with those of all earlier ones, or ''
--       12 results    name, n, …
--       13 dead       offset, reason, detail, value, …
--       14 keep       per resolution: its size, how long its buckets are kept
--       15 oldest log entry to keep, as a sequence number, or ''
--       16 most dead letters to keep
--       17 rows       per day, queue and channel: day, field, the day with which it settles, n,
--                     then n × (15-minute interval of the day, packed row)
--       18 clock      how far partition time is agreed on, packed
--       19 names that no stored commit of this claim has confirmed yet: KEYS number of their registry, name, number, …
--       20 the last day whose hashes are dropped, numbered as in 10, with those of all earlier ones, or ''
--       21 edition by which this commit was counted
--       22 what the index of minutes lists for versions without editions
--       23 rows of the ledger, a MessagePack array, or '' where nothing is noted   24 topic id   25 version of the settings
--       26 most bytes of rows in the outbox   27 the first offset that is covered, if it is the first commit of all
--       28 agents     agent, packed, …   29 forgotten agents
-- returns {'OK', seq} | {'ALREADY', seq} | {'FENCED', position} | {'MISMATCH', position} | {'NAMES', kind and name}
--
-- 7 to 10, 12 to 14, 17, 19, 28 and 29 are framed: each part is its length in four bytes, big-endian, and its bytes.
-- Lua has no rollback, so the type of every key is checked before the first write.

local function parts(blob)
  local out, at, size = {}, 1, #blob
  while at <= size do
    out[#out + 1], at = struct.unpack('>I4c0', blob, at)
  end
  return out
end

-- unpack() takes only what fits on Lua's stack
local function each(command, key, list, first, last)
  for i = first, last, 4000 do
    redis.call(command, key, unpack(list, i, math.min(i + 3999, last)))
  end
end

local meta, prefix, to = KEYS[1], ARGV[1], ARGV[4]
local visits, agents, log, dead = prefix .. ':visits', prefix .. ':agents', prefix .. ':log', prefix .. ':dead'
local results, minutes = prefix .. ':results', prefix .. ':r'
local days, changed = prefix .. ':d', prefix .. ':changed'
local cells, recent, keep, rows = parts(ARGV[7]), parts(ARGV[10]), parts(ARGV[14]), parts(ARGV[17])

local expected = {
  [meta] = 'hash', [visits] = 'hash', [agents] = 'hash', [log] = 'stream', [dead] = 'stream', [results] = 'hash', [minutes] = 'zset',
  [days] = 'zset', [changed] = 'zset',
}
for i = 1, #keep, 2 do
  expected[prefix .. ':i:' .. keep[i]] = 'zset'
end
for i = 1, #recent, 2 do
  expected[prefix .. ':r:' .. recent[i]] = 'string'
end
local noted, outbox = ARGV[23], prefix .. ':outbox'
if noted ~= '' then
  expected[outbox] = 'stream'
end
local for_former = minutes .. ':' .. ARGV[22]
expected[for_former] = 'hash'
local buckets, at = {}, 1
while at <= #cells do
  local n = tonumber(cells[at + 2])
  local key = prefix .. ':c:' .. cells[at] .. ':' .. cells[at + 1]
  buckets[#buckets + 1] = { key = key, resolution = cells[at], start = cells[at + 1], first = at + 3, last = at + 2 + 2 * n }
  expected[key] = 'hash'
  at = at + 3 + 2 * n
end
local tables = {}
at = 1
while at <= #rows do
  local day, place, n = rows[at], rows[at + 1], tonumber(rows[at + 3])
  local key = days .. ':' .. day .. ':' .. place
  tables[#tables + 1] = { key = key, day = day, place = place, settles = rows[at + 2], first = at + 4, last = at + 3 + 2 * n }
  expected[key] = 'hash'
  at = at + 4 + 2 * n
end
for key, kind in pairs(expected) do
  local found = redis.call('TYPE', key)['ok']
  if found ~= 'none' and found ~= kind then
    return redis.error_reply('QUARANTINED ' .. key .. ' is a ' .. found .. ', not a ' .. kind)
  end
end

local stored = redis.call('HMGET', meta, 'token', 'position', 'batch', 'seq', 'edition')
local position = stored[2] or ''
if stored[1] ~= ARGV[2] then
  return { 'FENCED', position }
end
if position == to and stored[3] == ARGV[5] then
  return { 'ALREADY', tonumber(stored[4]) }
end
if position ~= ARGV[3] then
  return { 'MISMATCH', position }
end
-- Numbers were given before this commit; Redis may have been rolled back since, and have given them to other names.
local names = parts(ARGV[19])
for i = 1, #names, 3 do
  local registry = tonumber(names[i])
  local found = redis.call('HGET', KEYS[registry], names[i + 1])
  if found ~= names[i + 2] or redis.call('SISMEMBER', KEYS[registry + 1], names[i + 1]) == 1 then
    return { 'NAMES', KEYS[registry] .. ' ' .. names[i + 1] }
  end
end

local seq = redis.call('HINCRBY', meta, 'seq', 1)
if ARGV[3] == '' then
  redis.call('HSET', meta, 'begun', ARGV[27])
end
redis.call('HSET', meta, 'position', to, 'batch', ARGV[5], 'time', ARGV[6], 'clock', ARGV[18])
-- A claim of an earlier edition is refused from here on: by the first field, or by the type of the other key.
if stored[5] ~= ARGV[21] then
  redis.call('HSET', meta, 'edition', ARGV[21])
  redis.call('HSET', for_former, 'edition', ARGV[21])
  redis.call('ZADD', minutes, '+inf', ARGV[22])
end

for _, bucket in ipairs(buckets) do
  each('HSET', bucket.key, cells, bucket.first, bucket.last)
  if bucket.resolution ~= '0' then
    redis.call('ZADD', prefix .. ':i:' .. bucket.resolution, bucket.start, bucket.start)
  end
end
for _, each_day in ipairs(tables) do
  each('HSET', each_day.key, rows, each_day.first, each_day.last)
  redis.call('ZADD', days, each_day.settles, each_day.day .. ':' .. each_day.place)
  for i = each_day.first, each_day.last, 2 do
    local start = string.format('%d', tonumber(each_day.day) * 86400000 + tonumber(rows[i]) * 900000)
    redis.call('ZADD', changed, seq, start .. ':' .. each_day.place)
  end
end
local opened, closed = parts(ARGV[8]), parts(ARGV[9])
each('HSET', visits, opened, 1, #opened)
each('HDEL', visits, closed, 1, #closed)
local told, forgotten = parts(ARGV[28]), parts(ARGV[29])
each('HSET', agents, told, 1, #told)
each('HDEL', agents, forgotten, 1, #forgotten)
for first, last in pairs({ ['-inf'] = ARGV[11], ['1000000000'] = ARGV[20] }) do
  if last ~= '' then
    for _, minute in ipairs(redis.call('ZRANGEBYSCORE', minutes, first, last)) do
      redis.call('UNLINK', prefix .. ':r:' .. minute)
      redis.call('ZREM', minutes, minute)
    end
  end
end
for i = 1, #recent, 2 do
  redis.call('APPEND', prefix .. ':r:' .. recent[i], recent[i + 1])
  redis.call('ZADD', minutes, recent[i], recent[i])
end
local counted = parts(ARGV[12])
for i = 1, #counted, 2 do
  redis.call('HINCRBY', results, counted[i], counted[i + 1])
end
local letters = parts(ARGV[13])
for i = 1, #letters, 4 do
  redis.call('XADD', dead, 'MAXLEN', '~', ARGV[16], '*',
    'offset', letters[i], 'reason', letters[i + 1], 'detail', letters[i + 2], 'value', letters[i + 3])
end

-- Retention by partition time: a replay drops the same buckets at the same place.
for i = 1, #keep, 2 do
  local index, oldest = prefix .. ':i:' .. keep[i], tonumber(ARGV[6]) - tonumber(keep[i + 1])
  for _, start in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', '(' .. string.format('%d', oldest))) do
    redis.call('UNLINK', prefix .. ':c:' .. keep[i] .. ':' .. start)
    redis.call('ZREM', index, start)
  end
end

-- The outbox: what a writer makes the ledger of. An entry covers all since the one before, if all was noted in between.
if noted ~= '' then
  local known = redis.call('HMGET', meta, 'noted', 'out')
  local out = known[2] or ''
  if (known[1] or '') ~= ARGV[3] or ARGV[3] == '' then
    out = ARGV[3] ~= '' and ARGV[3] or ARGV[27]
    redis.call('HSET', meta, 'out', out)
  end
  redis.call('HSET', meta, 'noted', to)
  if #noted > 5 then
    redis.call('XADD', outbox, seq .. '-0', 'topic', ARGV[24], 'from', out, 'to', to, 'time', ARGV[6],
      'version', ARGV[25], 'rows', noted)
    redis.call('HSET', meta, 'out', to)
    local bytes, first = redis.call('HINCRBY', meta, 'out_bytes', #noted), nil
    while bytes > tonumber(ARGV[26]) do
      first = redis.call('XRANGE', outbox, '-', '+', 'COUNT', 1)[1]
      bytes = redis.call('HINCRBY', meta, 'out_bytes', -#first[2][12])
      redis.call('HSET', meta, 'out_lost', first[2][6])
      redis.call('XDEL', outbox, first[1])
    end
  end
end

redis.call('XADD', log, seq .. '-0', 'token', ARGV[2], 'to', to, 'time', ARGV[6],
  'cells', ARGV[7], 'visits', ARGV[8], 'closed', ARGV[9], 'agents', ARGV[28], 'forgotten', ARGV[29])
if ARGV[15] ~= '' then
  redis.call('XTRIM', log, 'MINID', ARGV[15] .. '-0')
end
return { 'OK', seq }
