-- Remove the first entries of a partition's outbox, which the ledger holds, as far as they are still the same.
--
-- KEYS  outbox, meta
-- ARGV  id, digest, …: consecutive entries as they were read
-- returns how many were removed
--
-- Redis may have been rolled back since they were read, and have given their ids to others. So an entry is known by its content,
-- and removing ends with the first one that is another: what follows may be replaced in the ledger together with it. Entries
-- that are missing at the beginning went because the outbox was full.
-- The digest is the first 16 characters of the SHA-1 of id and fields, each followed by a zero byte.

local function less(a, b)
  local one, other = tonumber(string.match(a, '^%d+')), tonumber(string.match(b, '^%d+'))
  return one < other
end

local n, bytes = 0, 0
for i = 1, #ARGV, 2 do
  local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  if not first or less(first[1], ARGV[i]) then
    break
  end
  if first[1] == ARGV[i] then
    local fields, parts = {}, { ARGV[i] }
    for j = 1, #first[2], 2 do
      fields[first[2][j]] = first[2][j + 1]
    end
    for _, name in ipairs({ 'topic', 'from', 'to', 'time', 'version', 'rows' }) do
      parts[#parts + 1] = fields[name] or ''
    end
    parts[#parts + 1] = ''
    if string.sub(redis.sha1hex(table.concat(parts, '\0')), 1, 16) ~= ARGV[i + 1] then
      break
    end
    n = n + redis.call('XDEL', KEYS[1], ARGV[i])
    bytes = bytes + #(fields['rows'] or '')
  end
end
if n > 0 then
  local left = tonumber(redis.call('HGET', KEYS[2], 'out_bytes') or '0') - bytes
  redis.call('HSET', KEYS[2], 'out_bytes', string.format('%d', math.max(0, left)))
end
return n
