-- Return the number of partitions by which a topic's contacts are counted, and note the number found if it is larger.
--
-- KEYS  topic, the set of partitions
-- ARGV  the topic's name, how many partitions it was found to have
-- returns {keyed, found, since, moved}
--
-- A topic of which nothing was counted yet, and in which no owner saw a record, has no contacts to split: it takes the number
-- found. In a store of an older version, whose workers claimed every existing partition, the highest one shows the number.

local prefix, found = ARGV[1] .. '.', tonumber(ARGV[2])
local stored = redis.call('HMGET', KEYS[1], 'keyed', 'found', 'since', 'moved')
local keyed, noted, since = tonumber(stored[1] or '0'), tonumber(stored[2] or '0'), tonumber(stored[3] or '0')

if found > keyed then
  local known, counted = 0, false
  for _, member in ipairs(redis.call('SMEMBERS', KEYS[2])) do
    local number = string.sub(member, 1, #prefix) == prefix and string.match(string.sub(member, #prefix + 1), '^%d+$')
    if number then
      known = math.max(known, tonumber(number) + 1)
      local one = 'kpi:{' .. member .. '}'
      counted = counted or redis.call('HEXISTS', one .. ':meta', 'position') == 1
        or tonumber(redis.call('HGET', one .. ':beat', 'end') or '0') > 0
    end
  end
  if not counted then
    keyed, noted, since = found, 0, 0
    redis.call('HSET', KEYS[1], 'keyed', keyed)
    redis.call('HDEL', KEYS[1], 'found', 'since')
  elseif keyed == 0 then
    keyed = known
    redis.call('HSET', KEYS[1], 'keyed', keyed)
  end
  if found > keyed and found > noted then
    local now = redis.call('TIME')
    noted, since = found, now[1] * 1000 + math.floor(now[2] / 1000)
    redis.call('HSET', KEYS[1], 'found', noted, 'since', string.format('%d', since))
  end
end
return { keyed, noted, string.format('%d', since), stored[4] or '' }
