-- Shared by all scripts of admission. Each script is this file plus one call of a function below (scripts.py).
-- Times are whole microseconds by Redis's own clock: fractional seconds would lose digits as text.
-- Every key gets an expiry whenever it is written, and all keys of one call share a hash tag.
local breaker, probes, bucket, pause = KEYS[1], KEYS[2], KEYS[5], KEYS[6]
local SECOND = 1000000
local lease, failures_to_open = tonumber(ARGV[1]), tonumber(ARGV[2])
local first_open, longest_open = tonumber(ARGV[3]), tonumber(ARGV[4])
local span, most_failing, volume = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local probes_at_once, successes_to_close = tonumber(ARGV[8]), tonumber(ARGV[9])
local call_limit, interval, burst, kept = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local SPANS = 6                 -- the window's buckets; `span` is one bucket's length
local WANTED = 2 * SECOND       -- how long a probe is reserved for an urgent delivery that was refused one
local NEUTRAL_ANSWERS = 3       -- in a row, to probes: the other side works, but refuses these requests

local clock = redis.call('TIME')
local now = clock[1] * SECOND + clock[2]

local function text(number) return string.format('%.0f', number) end

local function keep(key, microseconds) redis.call('PEXPIRE', key, text(math.ceil(microseconds / 1000) + 1000)) end

local function memory() return math.max(3600 * SECOND, 2 * longest_open, 2 * SPANS * span) end

local function slots_of(urgent) return urgent and KEYS[4] or KEYS[3] end

-- Enter a state. A new generation makes the results of all earlier calls late. Full memory can refuse only the first
-- write of a script; here a refused first write has changed nothing.
local function enter(open_until, opens, closed_at)
  redis.call('HSET', breaker, 'generation', text(now), 'open_until', text(open_until), 'opens', opens,
    'closed_at', text(closed_at), 'failures', 0, 'first', '', 'several', 0, 'successes', 0, 'neutral', 0, 'wanted', 0)
  redis.call('HDEL', breaker, 'w0', 'w1', 'w2', 'w3', 'w4', 'w5')
  keep(breaker, math.max(open_until - now, 0) + memory())
  redis.call('DEL', probes)
end

local function open(opens) enter(now + math.min(first_open * 2 ^ (opens - 1), longest_open), opens, 0) end

-- 0 if a half-open breaker has a probe to give, otherwise how long until it makes sense to ask again.
local function probe_wait(urgent, wanted)
  redis.call('ZREMRANGEBYSCORE', probes, '-inf', text(now))
  local out = redis.call('ZRANGE', probes, 0, -1, 'WITHSCORES')
  if #out / 2 >= probes_at_once + (urgent and 1 or 0) then
    if urgent then redis.call('HSET', breaker, 'wanted', text(now)) end
    return math.min(tonumber(out[2]) - now, (urgent and 1 or 2) * SECOND)
  end
  if not urgent and now < wanted + WANTED then return wanted + WANTED - now end
  return 0
end

-- The token bucket as one time (GCRA): when it would be full again. Urgent calls may use all of it, others leave a
-- share. A bucket is at most empty, even if its rate was different when it was used. Returns that time after this call,
-- and how long until the call may be made.
local function token_wait(urgent)
  local stored, empty = tonumber(redis.call('GET', bucket) or 0), now + burst * interval
  if stored > empty then
    stored = empty
    redis.call('SET', bucket, text(empty), 'PX', text(math.ceil((empty - now) / 1000) + 1000))
  end
  local full = math.max(stored, now) + interval
  return full, full - (urgent and burst or burst - kept) * interval - now
end

-- Take a token; returns how long until there is one, 0 if it was taken.
local function take_token(urgent)
  local full, wait = token_wait(urgent)
  if wait > 0 then return math.ceil(wait) end
  redis.call('SET', bucket, text(full), 'PX', text(math.ceil((full - now) / 1000) + 1000))
  return 0
end

-- The target has asked us to pause: it is not called for this long. Of several pauses the one that ends last counts.
local function begin_pause(microseconds)
  local ends = now + microseconds
  if ends <= tonumber(redis.call('GET', pause) or 0) then return end
  redis.call('SET', pause, text(ends), 'PX', text(math.ceil(microseconds / 1000) + 1000))
end

local function pause_left() return math.max(tonumber(redis.call('GET', pause) or 0) - now, 0) end

-- A token without a permit: for a rate besides the target's own, such as the one to a phone.
local function reserve(urgent)
  local left = pause_left()
  if left > 0 then return left end
  return take_token(urgent)
end

-- A permit: {why refused, microseconds to wait, generation, whether it is a probe}. A refusal uses nothing up.
local function ask(urgent, token)
  local state = redis.call('HMGET', breaker, 'open_until', 'generation', 'wanted')
  local open_until, generation = tonumber(state[1] or 0), state[2] or '0'
  local probing, slots = open_until > 0, slots_of(urgent)
  if now < open_until then return {'breaker_open', open_until - now, generation, 0} end
  local left = pause_left()
  if left > 0 then return {'paused', left, generation, 0} end
  if probing then
    local wait = probe_wait(urgent, tonumber(state[3] or 0))
    if wait > 0 then return {'probing', math.ceil(wait), generation, 0} end
  end
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', text(now))
  if redis.call('ZCARD', slots) >= call_limit then return {'at_capacity', 0, generation, 0} end
  if interval > 0 then
    local wait = take_token(urgent)
    if wait > 0 then return {'rate_limited', wait, generation, 0} end
  end
  redis.call('ZADD', slots, text(now + lease), token)
  keep(slots, lease)
  if probing then
    redis.call('ZADD', probes, text(now + lease), token)
    keep(probes, lease)
  end
  return {'', 0, generation, probing and 1 or 0}
end

-- A bucket of the window is written `number total failed delivery several`; its place is its number modulo SPANS, so
-- that old ones are overwritten; its number identifies it when it is read.
local function read_span(written)
  local number, total, failed, delivery, several = string.match(written or '', '^(%d+) (%d+) (%d+) (%S+) (%d)$')
  return tonumber(number), tonumber(total), tonumber(failed), delivery, several == '1'
end

local function count_in_window(window, failed, delivery)
  local present = math.floor(now / span)
  local place = present % SPANS + 1
  local number, total, failures, first, several = read_span(window[place])
  if number ~= present then total, failures, first, several = 0, 0, '-', false end
  if failed then
    several = several or (first ~= '-' and first ~= delivery)
    if first == '-' then first = delivery end
    failures = failures + 1
  end
  window[place] = table.concat({text(present), total + 1, failures, first, several and '1' or '0'}, ' ')
  redis.call('HSET', breaker, 'w' .. (place - 1), window[place])
  keep(breaker, memory())
end

-- Whether too many of the window's calls have failed. Buckets older than the window do not count.
local function fails_too_often(window, alone)
  local present, total, failed, delivery, several = math.floor(now / span), 0, 0, '-', false
  for place = 1, SPANS do
    local number, calls, failures, first, more = read_span(window[place])
    if number and number > present - SPANS and number <= present then
      total, failed = total + calls, failed + failures
      if first ~= '-' then
        several = several or more or (delivery ~= '-' and delivery ~= first)
        delivery = first
      end
    end
  end
  return total >= volume and failed >= most_failing * total and (several or alone)
end

local function report_closed(result, delivery, alone, state, window)
  if result == 'neutral' then return 'unchanged' end
  if result == 'alive' then
    if tonumber(state[3] or 0) > 0 then redis.call('HSET', breaker, 'failures', 0, 'first', '', 'several', 0) end
    count_in_window(window, false, delivery)
    return 'unchanged'
  end
  local failures, first = tonumber(state[3] or 0) + 1, state[4] or ''
  local several = state[5] == '1' or (first ~= '' and first ~= delivery)
  redis.call('HSET', breaker, 'failures', failures, 'first', first ~= '' and first or delivery,
    'several', several and 1 or 0)
  count_in_window(window, true, delivery)
  if (failures >= failures_to_open and (several or alone)) or fails_too_often(window, alone) then
    local opens, closed_at = tonumber(state[6] or 0), tonumber(state[7] or 0)
    open(now - closed_at < longest_open and opens + 1 or 1)
    return 'opened'
  end
  return 'unchanged'
end

local function report_probe(result, alone, state)
  local opens, successes, neutral = tonumber(state[6] or 0), tonumber(state[8] or 0), tonumber(state[9] or 0)
  if result == 'failed' then
    open(opens + 1)
    return 'reopened'
  end
  if result == 'alive' then successes, neutral = successes + 1, 0 else neutral = neutral + 1 end
  local enough = successes >= successes_to_close or (result == 'alive' and alone)
  if enough or neutral >= NEUTRAL_ANSWERS then
    enter(0, opens, now)
    return 'closed'
  end
  redis.call('HSET', breaker, 'successes', successes, 'neutral', neutral)
  return 'unchanged'
end

-- The result of a call. It counts only while the call still holds its slot, so that it counts once, and only in the
-- generation of its permit. A requested pause, `asked_pause` (microseconds, 0 for none), always counts.
local function report(result, generation, token, urgent, probe, delivery, alone, asked_pause)
  local held = redis.call('ZREM', slots_of(urgent), token) == 1
  if asked_pause > 0 then begin_pause(asked_pause) end
  if probe then held = redis.call('ZREM', probes, token) == 1 and held end
  if not held then return 'late' end
  local state = redis.call('HMGET', breaker, 'open_until', 'generation', 'failures', 'first', 'several', 'opens',
    'closed_at', 'successes', 'neutral', 'w0', 'w1', 'w2', 'w3', 'w4', 'w5')
  if (state[2] or '0') ~= generation then return 'late' end
  if tonumber(state[1] or 0) > 0 then return report_probe(result, alone, state) end
  return report_closed(result, delivery, alone, state, {unpack(state, 10, 15)})
end

-- An unused permit: its slot, its probe and, with `refund`, its token are free again.
local function give_back(token, urgent, probe, refund)
  local held = redis.call('ZREM', slots_of(urgent), token) == 1
  if probe then redis.call('ZREM', probes, token) end
  local full = held and refund and interval > 0 and redis.call('GET', bucket)
  if full then redis.call('SET', bucket, text(full - interval), 'KEEPTTL') end
  return 1
end

local function trip(microseconds)
  enter(now + microseconds, tonumber(redis.call('HGET', breaker, 'opens') or 0), 0)
  return 1
end

local function reset()
  enter(0, 0, 0)
  redis.call('DEL', pause)
  return 1
end
