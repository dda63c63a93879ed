-- Sends requests that were signed beforehand: each thread reads its own slice, and sends no request twice.
-- A slice contains requests one after the other, each after a line with its length in bytes.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(args)
  statuses = {}
  ran_out = false
  slice = assert(io.open(args[1] .. "/" .. number, "rb"))
  slice:setvbuf("full", 1048576)
end

function request()
  local length = slice:read("*l")
  if length then
    return slice:read(tonumber(length))
  end
  ran_out = true
  wrk.thread:stop()
  return ""
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary, latency)
  local counted, out = {}, false
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do
      counted[status] = (counted[status] or 0) + count
    end
    out = out or thread:get("ran_out")
  end
  local pairs_of = {}
  for status, count in pairs(counted) do
    table.insert(pairs_of, string.format('"%d": %d', status, count))
  end
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"statuses": {%s}, "ran_out": %s, "microseconds": %d, "errors": %d, "p50": %d, "p99": %d, "longest": %d}\n',
    table.concat(pairs_of, ", "), tostring(out), summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
