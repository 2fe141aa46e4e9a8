-- Take a partition away from its owner while contacts are moved: every write of a worker is refused.
--
-- KEYS  meta, the visits and the agents that it will have
-- ARGV  token
-- returns {position or '', partition time}

redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'token', ARGV[1])
redis.call('UNLINK', KEYS[2], KEYS[3])
local stored = redis.call('HMGET', KEYS[1], 'position', 'time')
return { stored[1] or '', stored[2] or '0' }
