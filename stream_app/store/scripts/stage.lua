-- Prepare what a partition will have, as long as we hold it.
--
-- KEYS  meta, a hash
-- ARGV  token, field, value, …
-- returns whether we hold it

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[2], unpack(ARGV, 2))
return 1
