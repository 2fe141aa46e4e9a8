-- Blank what open visits say of people, as if another worker had taken the partition over in between.
--
-- KEYS  meta, visits, log
-- ARGV  contact, visits as they were read, visits as they shall be, …
-- returns how many contacts still had what was read, and were changed
--
-- The owner's memory has what is blanked here, so its next write is refused, and it claims the partition again. The log of the
-- latest commits has it, too: it goes, and readers load the partition again, as after a claim.

for i, kind in ipairs({ 'hash', 'hash', 'stream' }) do
  local found = redis.call('TYPE', KEYS[i])['ok']
  if found ~= 'none' and found ~= kind then
    return redis.error_reply('QUARANTINED ' .. KEYS[i] .. ' is a ' .. found .. ', not a ' .. kind)
  end
end

local changed = 0
for i = 1, #ARGV, 3 do
  if redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[i + 1] then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 2])
    changed = changed + 1
  end
end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
redis.call('HSET', KEYS[1], 'token', epoch .. ':forget')
redis.call('DEL', KEYS[3])
redis.call('XADD', KEYS[3], seq .. '-0', 'claim', epoch)
return changed
