-- Record that the owner is alive, and return the stored position: a quiet partition has no commits that would show a change.
--
-- KEYS  meta, beat
-- ARGV  token
--       Redis's time when this was sent, as far as the sender knew it, or ''
--       the sender's wall clock then
--       how long before that Kafka last answered     these four in ms
--       for how long a record had waited by then, or ''
--       field, value, …
-- returns {whether the token is still the owner's, position or '', Redis's time in ms}
--
-- Stamped by Redis's clock, the only one that all share. A heartbeat that waited in a buffer while Redis stalled keeps its age.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local sent = math.min(now, tonumber(ARGV[2]) or now)
local stored = redis.call('HMGET', KEYS[1], 'token', 'position')
local ours = stored[1] == ARGV[1]

local function stamp(ms)
  return string.format('%d', ms)
end

if ours then
  local at, waits = stamp(sent - ARGV[4]), tonumber(ARGV[5])
  redis.call('HSET', KEYS[2],
    'at', at,
    'stamped', at, -- a worker of a former version only writes the other one, by its own clock
    'ahead', stamp(ARGV[3] - sent),
    'waits_since', waits and stamp(sent - waits) or '0',
    unpack(ARGV, 6))
end
return { ours and 1 or 0, stored[2] or '', now }
