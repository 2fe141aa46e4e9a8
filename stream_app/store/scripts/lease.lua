-- Become or stay the publisher of interval rows: from then on, every write of the former one is refused.
--
-- KEYS  meta
-- ARGV  token, duration in ms
-- returns {epoch, or 0 if another worker has the lease; the number of the last write; the time in ms; the number of this mark}
--
-- The publisher sets a mark here, and one in the same step as each read: as long as it finds them without a gap, Redis was not
-- rolled back to before one of them, and what was read is still valid.
--
-- A lease that ends later than any lease could does not count: Redis's clock was set back.

local now = redis.call('TIME')
local at = now[1] * 1000 + math.floor(now[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'token', 'until')
local new = held[1] ~= ARGV[1]
local ahead = tonumber(held[2] or '0') - at
if new and held[1] and ahead > 0 and ahead <= 2 * tonumber(ARGV[2]) then
  return { 0, 0, at, 0 }
end
if new then
  redis.call('HINCRBY', KEYS[1], 'epoch', 1)
  redis.call('HSET', KEYS[1], 'token', ARGV[1])
end
redis.call('HSET', KEYS[1], 'until', string.format('%d', at + tonumber(ARGV[2])))
local known = redis.call('HMGET', KEYS[1], 'epoch', 'state')
return { tonumber(known[1]), tonumber(known[2] or '0'), at, redis.call('HINCRBY', KEYS[1], 'marks', 1) }
