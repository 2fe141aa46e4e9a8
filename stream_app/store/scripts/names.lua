-- Number names permanently; a name that finds no place is 0, "other".
--
-- KEYS  registry, its retired names
-- ARGV  cap, name, …
-- returns a number for each name
--
-- A number is never reused: retired names stay in the registry and keep theirs.

local out = {}
for i = 2, #ARGV do
  local number = redis.call('HGET', KEYS[1], ARGV[i])
  if not number or redis.call('SISMEMBER', KEYS[2], ARGV[i]) == 1 then
    local size = redis.call('HLEN', KEYS[1])
    if size - redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[1]) then
      number = 0
    elseif number then
      redis.call('SREM', KEYS[2], ARGV[i])
    else
      number = size + 1
      redis.call('HSET', KEYS[1], ARGV[i], number)
    end
  end
  out[#out + 1] = tonumber(number)
end
return out
