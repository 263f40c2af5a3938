-- Posts the lines of a file in turn, and prints the result as one line of JSON.
--   wrk … -s post.lua URL -- FILE KEY
-- It builds all requests before it sends the first one, so that the measurement does not include building them.

local requests, at = {}, 0

function init(args)
  local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. args[2] }
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, line)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  local format = '{"answered": %d, "wall_s": %.6f, "refused": %d, "broken": %d, "p50_ms": %.4f, "p99_ms": %.4f}'
  local p50_ms, p99_ms = latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
  io.write("\n", format:format(summary.requests, summary.duration / 1e6, errors.status, broken, p50_ms, p99_ms), "\n")
end
