-- Forget that interval rows of a partition have changed, of those that have not changed again since.
--
-- KEYS  changed
-- ARGV  member, commit that changed it, …
-- gives how many

local n = 0
for i = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    n = n + redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return n
