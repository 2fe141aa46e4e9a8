-- Take over a partition: from now on every write of its former owner is refused.
--
-- KEYS  meta, log
-- ARGV  token of the new owner, settings version to pin, position that the new owner knows (or '')
-- gives {epoch, position or '', batch or '', seq, partition time}

local meta, log = KEYS[1], KEYS[2]
local kind = redis.call('TYPE', meta)['ok']
if kind ~= 'none' and kind ~= 'hash' then
  return redis.error_reply('QUARANTINED ' .. meta .. ' is a ' .. kind .. ', not a hash')
end

local epoch = redis.call('HINCRBY', meta, 'epoch', 1)
local seq = redis.call('HINCRBY', meta, 'seq', 1)
redis.call('HSET', meta, 'token', epoch .. ':' .. ARGV[1], 'settings', ARGV[2])
local stored = redis.call('HMGET', meta, 'position', 'batch', 'time')
if ARGV[3] ~= '' and tonumber(stored[1] or '0') < tonumber(ARGV[3]) then
  redis.call('HINCRBY', meta, 'rollbacks', 1)
end

-- Readers that follow the log load the partition anew: what they mirrored may have been rolled back.
redis.call('DEL', log)
redis.call('XADD', log, seq .. '-0', 'claim', epoch)

return { epoch, stored[1] or '', stored[2] or '', seq, stored[3] or '0' }
