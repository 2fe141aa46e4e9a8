-- Prepare the event ids that a partition that was never read will know, as long as we hold it.
--
-- KEYS  meta, the index of minutes
-- ARGV  token, minute, hashes, minute, hashes, …
-- returns whether we hold it

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return 0
end
for _, minute in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  redis.call('UNLINK', KEYS[2] .. ':' .. minute)
end
redis.call('UNLINK', KEYS[2])
for i = 2, #ARGV, 2 do
  redis.call('APPEND', KEYS[2] .. ':' .. ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[2], ARGV[i], ARGV[i])
end
return 1
