-- Delete a partition's own rows of a day: they are now part of the published ones.
--
-- KEYS  the rows, the days of which the partition has rows, meta of the published rows
-- ARGV  token, the write by which they are published, the day among those
-- returns 1, or -1 if that write is not the last: another worker publishes, or Redis was rolled back to before it

local stored = redis.call('HMGET', KEYS[3], 'token', 'state')
if stored[1] ~= ARGV[1] or (stored[2] or '0') ~= ARGV[2] then
  return -1
end
redis.call('UNLINK', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[3])
return 1
