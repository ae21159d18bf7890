-- Posts realistic events to /tick: `batch` of them a request, each with an id of its own.
--   wrk -s bench/tick.lua URL -- BATCH
local threads = 0

function setup(thread)
  thread:set("thread_id", threads)
  threads = threads + 1
end

local formats = { "csv", "kml", "geojson", "xlsx" }
local event = '{"event":"%s","id":"%s-%d-%x-%d","time":%d,"app":"default","item":"dataset-%d",'
  .. '"url":"https://data.example.org/datasets/dataset-%d?page=%d","title":"Dataset %d of the city",'
  .. '"referrer":"https://www.example.com/search/results","page":"%x","language":"en-GB","format":"%s"}'

function init(args)
  batch = tonumber(args[1]) or 1
  math.randomseed(os.time() + thread_id)
  run = math.random(1, 2 ^ 30)
  n = 0
  base = os.time() * 1000
end

local function one()
  n = n + 1
  local item = math.floor(math.random() ^ 3 * 10000)
  local kind = n % 10 == 0 and "download" or "view"
  return string.format(event, kind, "bench", thread_id, run, n, base + n % 1000, item, item, n % 7, item,
    n, formats[n % 4 + 1])
end

function request()
  local headers = { ["content-type"] = "text/plain",
    ["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36" }
  if batch == 1 then return wrk.format("POST", "/tick", headers, one()) end
  local events = {}
  for i = 1, batch do events[i] = one() end
  return wrk.format("POST", "/tick", headers, "[" .. table.concat(events, ",") .. "]")
end
