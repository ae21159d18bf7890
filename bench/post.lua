-- Posts the requests of a file (see requests.ts) in turn, each time with a token of its own in
-- all ids, so that no event is a duplicate. What costs time here is missing on the other core:
-- the requests are made before, and one concatenation puts the tokens in.
--   wrk -s bench/post.lua URL -- FILE
local marker = "@@@@@@@@@@@@@@@@"
local threads = 0

function setup(thread)
  thread:set("thread_id", threads)
  threads = threads + 1
end

local function split(text, separator)
  local parts, from = {}, 1
  while true do
    local at, to = text:find(separator, from, true)
    if not at then break end
    parts[#parts + 1] = text:sub(from, at - 1)
    from = to + 1
  end
  parts[#parts + 1] = text:sub(from)
  return parts
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  requests = {}
  for _, text in ipairs(split(file:read("*a"), "\30")) do
    requests[#requests + 1] = split(text, marker)
  end
  file:close()
  math.randomseed(os.time() * 64 + thread_id)
  run = string.format("%07x", math.random(0, 2 ^ 28 - 1))
  n = 0
end

function request()
  n = n + 1
  return table.concat(requests[n % #requests + 1], run .. string.format("%09x", n))
end

function done(summary, latency)
  io.write(string.format('\n{"requests":%d,"durationUs":%d,"bytes":%d,"failedSockets":%d,"failedRequests":%d,'
    .. '"p50Us":%d,"p99Us":%d,"maxUs":%d}\n', summary.requests, summary.duration, summary.bytes,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.errors.status, latency:percentile(50), latency:percentile(99), latency.max))
end
