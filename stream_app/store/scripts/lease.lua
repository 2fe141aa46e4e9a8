-- Be the one who publishes interval rows, or stay it: from then on every write of the former one is refused.
--
-- KEYS  meta
-- ARGV  token, how long in ms
-- gives {epoch, or 0 if somebody else is it; the number of the last write; the time in ms}
--
-- A lease further ahead than any can be is none: Redis's clock was set back.

local now = redis.call('TIME')
local at = now[1] * 1000 + math.floor(now[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'token', 'until')
local new = held[1] ~= ARGV[1]
local ahead = tonumber(held[2] or '0') - at
if new and held[1] and ahead > 0 and ahead <= 2 * tonumber(ARGV[2]) then
  return { 0, 0, at }
end
if new then
  redis.call('HINCRBY', KEYS[1], 'epoch', 1)
  redis.call('HSET', KEYS[1], 'token', ARGV[1])
end
redis.call('HSET', KEYS[1], 'until', string.format('%d', at + tonumber(ARGV[2])))
local known = redis.call('HMGET', KEYS[1], 'epoch', 'state')
return { tonumber(known[1]), tonumber(known[2] or '0'), at }
