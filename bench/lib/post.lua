-- Posts one body again and again; BODY names its file, TYPE its content type. Where the body has @N@, each request has another number there, beyond FROM. Ends with a line of JSON, latencies in milliseconds.
local file = assert(io.open(os.getenv("BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = os.getenv("TYPE") or "application/json"
file:close()

local from, to = wrk.body:find("@N@", 1, true)
if from then
  local head, rest, n = wrk.body:sub(1, from - 1), wrk.body:sub(to + 1), tonumber(os.getenv("FROM") or "0")
  function request()
    n = n + 1
    return wrk.format(nil, nil, nil, head .. n .. rest)
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"bytes":%d,"p50":%.4f,"p90":%.4f,"p99":%.4f,"p999":%.4f,"max":%.4f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    latency:percentile(50) / 1000, latency:percentile(90) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000,
    latency.max / 1000, e.connect + e.read + e.write + e.status + e.timeout))
end
