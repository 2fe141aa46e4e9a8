-- Say that the owner lives, and tell it where the store stands: a quiet partition has no commits by which it would notice.
--
-- KEYS  meta, beat
-- ARGV  token, field, value, …
-- gives {whether the token is still the owner's, position or ''}

local stored = redis.call('HMGET', KEYS[1], 'token', 'position')
local ours = stored[1] == ARGV[1]
if ours then
  redis.call('HSET', KEYS[2], unpack(ARGV, 2))
end
return { ours and 1 or 0, stored[2] or '' }
