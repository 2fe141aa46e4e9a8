-- Move contacts and agents to where Kafka puts them now, all at once or not at all. What each partition will have was prepared before.
--
-- KEYS  topic, the set of partitions, the former topic (the same one, if the topic only got more partitions)
-- ARGV  token, by how many partitions the topic's contacts are counted from now on, the topic's name,
--       what the index of minutes lists for versions without editions,
--       then for each partition: its name, contacts and agents that it will have, position and partition time ('' and ''
--       leaves both), the edition by which these were counted (0: by a version without editions, or leave it)
-- returns 1, or the name of a partition that we do not hold, or that is not prepared
--
-- Lua has no rollback, so everything is checked before the first write; and the one right that a worker does not have is needed
-- by the first. The cost does not depend on the number of contacts.

local FIRST, FIELDS = 5, 6
local MOVED = { [1] = { ':next', ':visits' }, [2] = { ':next:agents', ':agents' } }
for i = FIRST, #ARGV, FIELDS do
  local prefix = 'kpi:{' .. ARGV[i] .. '}'
  if redis.call('HGET', prefix .. ':meta', 'token') ~= ARGV[1] then
    return ARGV[i]
  end
  for n, names in ipairs(MOVED) do
    if redis.call('HLEN', prefix .. names[1]) ~= tonumber(ARGV[i + n]) then
      return ARGV[i]
    end
  end
end

for i = FIRST, #ARGV, FIELDS do
  local prefix = 'kpi:{' .. ARGV[i] .. '}'
  for n, names in ipairs(MOVED) do
    if ARGV[i + n] ~= '0' then
      redis.call('RENAME', prefix .. names[1], prefix .. names[2])
    end
  end
end
for i = FIRST, #ARGV, FIELDS do
  local prefix = 'kpi:{' .. ARGV[i] .. '}'
  local meta, log = prefix .. ':meta', prefix .. ':log'
  for n, names in ipairs(MOVED) do
    if ARGV[i + n] == '0' then
      redis.call('UNLINK', prefix .. names[2])
    end
  end
  if ARGV[i + 3] ~= '' then
    redis.call('HSET', meta, 'position', ARGV[i + 3], 'time', ARGV[i + 4])
  end
  if ARGV[i + 5] ~= '0' then
    redis.call('HSET', meta, 'edition', ARGV[i + 5])
    redis.call('HSET', prefix .. ':r:' .. ARGV[4], 'edition', ARGV[i + 5])
    redis.call('ZADD', prefix .. ':r', '+inf', ARGV[4])
  end
  -- Readers that follow the log load the partition again.
  local seq = redis.call('HINCRBY', meta, 'seq', 1)
  redis.call('DEL', log)
  redis.call('XADD', log, seq .. '-0', 'claim', redis.call('HGET', meta, 'epoch'))
  redis.call('SADD', KEYS[2], ARGV[i])
end
redis.call('HSET', KEYS[1], 'keyed', ARGV[2])
redis.call('HDEL', KEYS[1], 'found', 'since', 'moved')
if KEYS[3] ~= KEYS[1] then
  redis.call('HSET', KEYS[3], 'moved', ARGV[3])
end
return 1
