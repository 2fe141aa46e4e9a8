-- Remove a partition's interval rows from its outbox once they are published, unless they have changed again since.
--
-- KEYS  changed, meta of the published rows
-- ARGV  token, the write that published them, member, commit that changed it, …
-- returns how many, or -1 if that write is not the last: another worker publishes, or Redis was rolled back to before it

local stored = redis.call('HMGET', KEYS[2], 'token', 'state')
if stored[1] ~= ARGV[1] or stored[2] ~= ARGV[2] then
  return -1
end
local n = 0
for i = 3, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    n = n + redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return n
