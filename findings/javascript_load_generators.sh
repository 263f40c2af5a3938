#!/usr/bin/env bash
# Four surprises about what two load generators count, seen while their reports were read.
#
# autocannon 9.0.0, artillery 2.0.34:
# 1. autocannon's `requests.total` counts responses. Of 40 requests, 5 of which time out, it is 35. The error rate is
#    `errors` of `total` + `errors`, not of `total`.
# 2. autocannon has latencies of 0 ms for a server that is down: the best of all runs.
# 3. Artillery's `http.response_time` ends with the first byte. An answer that is streamed for a second takes some
#    milliseconds.
# 4. Artillery's `vusers.failed` does not count error responses: it is 0 if each response is a 503.
#
# Installs the pinned packages in a temporary folder and needs nothing of this repository. Exits with 1 if the behavior
# differs from the above.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts autocannon@9.0.0 artillery@2.0.34

cat >compare.mjs <<'JAVASCRIPT'
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

import autocannon from "autocannon";

let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  if (request.url === "/late" && requests % 8 === 0) return;
  response.statusCode = request.url === "/busy" ? 503 : 200;
  response.write("first ");
  setTimeout(() => response.end("last"), request.url === "/streamed" ? 1000 : 0);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${server.address().port}`;
let asSeen = true;

const late = await autocannon({ url: `${url}/late`, connections: 4, amount: 40, timeout: 1 });
console.log(`1. autocannon: ${late.requests.sent} sent, ${late.timeouts} timed out, total ${late.requests.total}`);
asSeen &&= late.requests.sent === 40 && late.timeouts === 5 && late.errors === 5 && late.requests.total === 35;

const down = await autocannon({ url: "http://127.0.0.1:9", connections: 1, duration: 1 });
const { p50, p99, max } = down.latency;
console.log(`2. autocannon, a server that is down: ${down.errors > 0 ? "only" : "no"} errors, p50 ${p50}, p99 ${p99}, maximum ${max} ms`);
asSeen &&= down.errors > 0 && down.requests.total === 0 && p50 === 0 && p99 === 0 && max === 0;

async function artillery(path) {
  const scenario = { flow: [{ get: { url: path } }] };
  writeFileSync("test.json", JSON.stringify({ config: { target: url, phases: [{ duration: 1, arrivalCount: 5 }] }, scenarios: [scenario] }));
  const words = ["artillery", "run", "--output", "report.json", "test.json"];
  const run = spawn("npx", ["--no-install", ...words], { stdio: "ignore", env: { ...process.env, ARTILLERY_DISABLE_TELEMETRY: "true" } });
  await new Promise((done) => run.on("exit", done));
  return JSON.parse(readFileSync("report.json", "utf8")).aggregate;
}

const streamed = await artillery("/streamed");
const response = streamed.summaries["http.response_time"].max;
const session = streamed.summaries["vusers.session_length"].min;
console.log(`3. Artillery, answers of 1 s: response time ${response} ms at most, sessions ${session} ms at least`);
asSeen &&= response < 500 && session > 900;

const busy = await artillery("/busy");
const { "http.codes.503": refused, "vusers.failed": failed } = busy.counters;
console.log(`4. Artillery: ${refused} responses 503, vusers.failed ${failed}`);
asSeen &&= refused === 5 && failed === 0;

console.log(asSeen ? "\nas seen before" : "\nthe behavior has changed");
process.exit(asSeen ? 0 : 1);
JAVASCRIPT
node compare.mjs
