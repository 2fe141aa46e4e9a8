-- Publish interval rows with their revisions, or nothing at all.
--
-- KEYS  meta (the other keys of the published rows share its hash tag), registry of partitions
-- ARGV  1 key prefix   2 token   3 last revision given   4 rows that end by then are final
--       5 days     day, field, packed, …
--       6 log      which rows got revisions, or ''
--       7 seen     field, first and last, …
--       8 spans    partition, from and to, …
--       9 the oldest day that is kept
--      10 over     partition:field, interval, …
--      11 the last write that the publisher knows of
--      12 the mark that it set when it read the data that it writes (lease.lua)
--      13 partitions whose numbers no stored write of this publisher has confirmed yet: name, number, …
-- returns the number of this write, or 0 if another worker publishes, or the store was rolled back
--
-- 5, 7, 8, 10 and 13 are framed, as in apply.lua.

local function parts(blob)
  local out, at, size = {}, 1, #blob
  while at <= size do
    out[#out + 1], at = struct.unpack('>I4c0', blob, at)
  end
  return out
end

local meta, prefix, oldest = KEYS[1], ARGV[1], tonumber(ARGV[9])
local days, log, seen, spans = prefix .. ':days', prefix .. ':log', prefix .. ':seen', prefix .. ':spans'
local over, rows = prefix .. ':over', parts(ARGV[5])

local expected = { [meta] = 'hash', [days] = 'zset', [log] = 'stream', [seen] = 'hash', [spans] = 'hash', [over] = 'hash' }
for i = 1, #rows, 3 do
  expected[prefix .. ':day:' .. rows[i]] = 'hash'
end
for key, kind in pairs(expected) do
  local found = redis.call('TYPE', key)['ok']
  if found ~= 'none' and found ~= kind then
    return redis.error_reply('QUARANTINED ' .. key .. ' is a ' .. found .. ', not a ' .. kind)
  end
end

local stored = redis.call('HMGET', meta, 'token', 'state', 'marks')
if stored[1] ~= ARGV[2] or (stored[2] or '0') ~= ARGV[11] or stored[3] ~= ARGV[12] then
  return 0
end

local numbers = parts(ARGV[13])
for i = 1, #numbers, 2 do
  if redis.call('HGET', KEYS[2], numbers[i]) ~= numbers[i + 1] then
    return 0
  end
end

local state = redis.call('HINCRBY', meta, 'state', 1)
redis.call('HSET', meta, 'revision', ARGV[3], 'final', ARGV[4])
for i = 1, #rows, 3 do
  if tonumber(rows[i]) >= oldest then
    redis.call('HSET', prefix .. ':day:' .. rows[i], rows[i + 1], rows[i + 2])
    redis.call('ZADD', days, rows[i], rows[i])
  end
end
if ARGV[6] ~= '' then
  redis.call('XADD', log, ARGV[3] .. '-0', 'rows', ARGV[6])
end
for name, key in pairs({ [7] = seen, [8] = spans, [10] = over }) do
  local pairs_of = parts(ARGV[name])
  for i = 1, #pairs_of, 2 do
    redis.call('HSET', key, pairs_of[i], pairs_of[i + 1])
  end
end

for _, day in ipairs(redis.call('ZRANGEBYSCORE', days, '-inf', '(' .. ARGV[9])) do
  redis.call('UNLINK', prefix .. ':day:' .. day)
  redis.call('ZREM', days, day)
end
redis.call('XTRIM', log, 'MINID', string.format('%d', oldest * 86400000000) .. '-0')
return state
