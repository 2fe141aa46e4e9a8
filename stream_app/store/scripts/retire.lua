-- Free the places of names that were idle for long; they keep their numbers.
--
-- KEYS  registry, its retired names, meta of the published rows
-- ARGV  token, most names that may be retired, name, …
-- returns how many were retired, or -1 if another worker publishes

if redis.call('HGET', KEYS[3], 'token') ~= ARGV[1] then
  return -1
end
local left = tonumber(ARGV[2]) - redis.call('SCARD', KEYS[2])
local n = 0
for i = 3, #ARGV do
  if n < left and redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    n = n + redis.call('SADD', KEYS[2], ARGV[i])
  end
end
return n
