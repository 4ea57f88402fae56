-- Elasticsearch's own call, as fast as the HTTP door takes it, each report a new one:
--
--     HTTP_PORT=8080 npx sync-error-relay serve
--     wrk --threads 1 --connections 64 --duration 15s --script bench/front-door.lua http://127.0.0.1:8080
--
-- wrk counts what is accepted, and names answers that are not 2xx.
local sent = 0
local headers = { ["Content-Type"] = "application/json" }
local text = "ConnectionError: the database did not answer within 30 s, attempt 3 of 3. Last seen alive 4 minutes ago."

function init()
  math.randomseed(os.time())
  run = math.random(1e9)
end

function request()
  sent = sent + 1
  local path = string.format("/_connector/_sync_job/job-%d-%d/_error", run, sent)
  return wrk.format("PUT", path, headers, string.format('{"error":"%s (%d)"}', text, sent))
end
