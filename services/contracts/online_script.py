"""The script that runs inside Redis for each entity: compare event times, and write only what is newer, as one step.

KEYS[1]  the entity's hash
ARGV[1]  seconds after which the whole hash expires, 0 for never (Feast's `key_ttl_seconds`)
then, for each view: `_ts` field, `_pk` field, time, sequence, packed copy, number of pairs, pairs of field and value

It answers, for each view, 1 where it wrote and 0 where what stands there is newer or the same.
"""

GUARDED = """
-- seconds and nanoseconds of a Timestamp message
local function instant(data)
  local found, at = {0, 0}, 1
  while at <= #data do
    local field = string.byte(data, at) == 8 and 1 or 2
    local number, rest, scale, count = 0, 0, 1, 0
    repeat
      at = at + 1
      local byte = string.byte(data, at)
      local bits = byte % 128
      count = count + 1
      number = number + bits * scale
      rest = rest + (count < 10 and 127 - bits or 1 - bits) * scale
      scale = scale * 128
    until byte < 128
    -- ten bytes are a negative number in two's complement: doubles hold its complement exactly, itself not
    found[field] = count == 10 and -rest - 1 or number
    at = at + 1
  end
  return found[1], found[2]
end

-- sequence in a packed copy, if that copy belongs to the time that stands beside it
local function sequence(packed, time)
  if not packed or string.byte(packed, 6) ~= #time or string.sub(packed, 7, 6 + #time) ~= time then
    return nil
  end
  return struct.unpack('>I8', packed, 7 + #time)
end

local function newer(time, order, old, packed)
  if not old then return true end
  local seconds, nanos = instant(time)
  local old_seconds, old_nanos = instant(old)
  if seconds ~= old_seconds then return seconds > old_seconds end
  if nanos ~= old_nanos then return nanos > old_nanos end
  local before = sequence(packed, old)
  return before ~= nil and order > before
end

local answer, at, wrote = {}, 2, false
while at <= #ARGV do
  local time_field, packed_field, time, order = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local pairs_at, pairs_end = at + 6, at + 5 + 2 * tonumber(ARGV[at + 5])
  local old = redis.call('HMGET', KEYS[1], time_field, packed_field)
  if newer(time, order, old[1], old[2]) then
    redis.call('HSET', KEYS[1], time_field, time, packed_field, ARGV[at + 4], unpack(ARGV, pairs_at, pairs_end))
    answer[#answer + 1] = 1
    wrote = true
  else
    answer[#answer + 1] = 0
  end
  at = pairs_end + 1
end
if wrote and tonumber(ARGV[1]) > 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return answer
"""

CLOCK = """
-- KEYS[1] the project's clock; ARGV: threes of view, event time and wall time, both in microseconds; neither moves back
for at = 1, #ARGV, 3 do
  local old = redis.call('HGET', KEYS[1], ARGV[at])
  local event, wall = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if old then
    local old_event, old_wall = string.match(old, '^(-?%d+) (-?%d+)$')
    event = math.max(event, tonumber(old_event))
    wall = math.max(wall, tonumber(old_wall))
  end
  redis.call('HSET', KEYS[1], ARGV[at], string.format('%.0f %.0f', event, wall))
end
return redis.status_reply('OK')
"""
