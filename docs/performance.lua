-- A request for wrk: posts a recorded AdmissionReview to a policy of policy-server. See docs/performance.md.
local path = os.getenv("REVIEW") or "test_data/requests/pod-create-gvisor.json"
local file = assert(io.open(path))

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = file:read("a")
file:close()
