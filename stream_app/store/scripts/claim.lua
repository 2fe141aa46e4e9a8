-- Take over a partition: from now on, every write of its former owner is refused.
--
-- KEYS  meta (the other keys of the partition share its hash tag, so they live in the same slot)
-- ARGV  1 key prefix   2 token of the new owner   3 version of the targets to pin   4 position that the new owner knows, or ''
--       5 id of the topic that the new owner reads, or ''   6 edition by which the new owner counts
--       7 what the index of minutes lists for versions without editions
-- returns {epoch, position or '', batch or '', seq, partition time, topic id or '', clock or ''}; if the counts belong to
-- another topic, the epoch is 0 and nothing is done; if they are of a later edition, it is -1, and that edition stands in
-- the place of the topic's id
--
-- The new owner reads all of these keys next: if one of them has a foreign type, the former owner must not lose the partition.

local meta, prefix = KEYS[1], ARGV[1]
local log, minutes = prefix .. ':log', prefix .. ':r'

local function check(key, kind)
  local found = redis.call('TYPE', key)['ok']
  if found ~= 'none' and found ~= kind then
    return redis.error_reply('QUARANTINED ' .. key .. ' is a ' .. found .. ', not a ' .. kind)
  end
end

local wrong = check(meta, 'hash')
if wrong then
  return wrong
end
-- Before all else: a later edition may keep other things in other types.
local edition = redis.call('HGET', meta, 'edition') or '0'
if tonumber(edition) > tonumber(ARGV[6]) then
  return { -1, '', '', 0, '0', edition, '' }
end
wrong = check(prefix .. ':visits', 'hash') or check(prefix .. ':agents', 'hash') or check(log, 'stream')
  or check(prefix .. ':dead', 'stream') or check(prefix .. ':results', 'hash') or check(minutes, 'zset')
if wrong then
  return wrong
end
for _, minute in ipairs(redis.call('ZRANGE', minutes, 0, -1)) do
  wrong = minute ~= ARGV[7] and check(minutes .. ':' .. minute, 'string')
  if wrong then
    return wrong
  end
end

local was = redis.call('HMGET', meta, 'topic', 'position')
local topic = was[1] or ''
if ARGV[5] ~= '' and topic ~= ARGV[5] then
  if topic ~= '' and was[2] then
    return { 0, was[2], '', 0, '0', topic, '' }
  end
  topic = ARGV[5]
  redis.call('HSET', meta, 'topic', topic)
end

local epoch = redis.call('HINCRBY', meta, 'epoch', 1)
local seq = redis.call('HINCRBY', meta, 'seq', 1)
redis.call('HSET', meta, 'token', epoch .. ':' .. ARGV[2], 'settings', ARGV[3])
local stored = redis.call('HMGET', meta, 'position', 'batch', 'time', 'clock')
if ARGV[4] ~= '' and tonumber(stored[1] or '0') < tonumber(ARGV[4]) then
  redis.call('HINCRBY', meta, 'rollbacks', 1)
end

-- Readers that follow the log load the partition again: what they mirrored may have been rolled back.
redis.call('DEL', log)
redis.call('XADD', log, seq .. '-0', 'claim', epoch)

return { epoch, stored[1] or '', stored[2] or '', seq, stored[3] or '0', topic, stored[4] or '' }
