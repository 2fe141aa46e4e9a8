-- Number names, once and for ever; what comes after the cap is 0, "other".
--
-- KEYS  registry
-- ARGV  cap, name, …
-- gives a number for each name

local out = {}
for i = 2, #ARGV do
  local number = redis.call('HGET', KEYS[1], ARGV[i])
  if not number then
    local size = redis.call('HLEN', KEYS[1])
    if size < tonumber(ARGV[1]) then
      number = size + 1
      redis.call('HSET', KEYS[1], ARGV[i], number)
    else
      number = 0
    end
  end
  out[#out + 1] = tonumber(number)
end
return out
