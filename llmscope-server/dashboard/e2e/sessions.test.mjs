// Recorded runs: upload, analysis, comparison, deletion.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { close, chartWith, launch, open, part, until } from "./pages.mjs";
import { serve, signalsOf } from "./service.mjs";

const EXAMPLES = new URL("../../../examples/sessions/", import.meta.url).pathname;
const NAMES = ["undisturbed", "second-load", "paused"];
const directory = mkdtempSync(join(tmpdir(), "dashboard-"));
let browser, service, page;
before(async () => {
  [browser, service] = await Promise.all([launch(), serve()]);
  page = await open(browser, `${service.url}/sessions`, { expected: [/status of 4(15|22)/] });
});
after(async () => {
  await browser?.close();
  await service?.stop();
  rmSync(directory, { recursive: true });
});

const sessions = async () => (await service.get("/api/v1/sessions")).sessions;
const idOf = async (name) => (await sessions()).find((session) => session.name.startsWith(name)).id;
const row = (id) => page.locator(`[data-testid="session-row"][data-id="${id}"]`);

test("files are uploaded", async () => {
  assert.match(await part(page, "empty").innerText(), /There are no sessions yet/);
  await part(page, "upload-input").setInputFiles(NAMES.map((name) => join(EXAMPLES, `${name}.json`)));
  await until("three rows", async () => assert.equal(await part(page, "session-row").count(), 3));
  assert.equal(await part(page, "upload-done").count(), 3);
  for (const { id, name, records, models } of await sessions()) {
    const text = await row(id).innerText();
    for (const expected of [name, String(records), models[0]]) assert.ok(text.includes(expected), `${expected} in ${text}`);
  }
});

test("a file that is not a log is rejected with a reason", async () => {
  const path = join(directory, "holiday.json");
  writeFileSync(path, '{"beach": true}');
  await part(page, "upload-input").setInputFiles(path);
  await part(page, "upload-failed").waitFor();
  assert.match(await part(page, "upload-failed").innerText(), /holiday\.json: .{10,}/);
  assert.equal((await sessions()).length, 3);
});

test("a session is analyzed", async () => {
  const id = await idOf("paused");
  await row(id).getByTestId("session-link").click();
  await part(page, "chart").waitFor();
  const query = Object.fromEntries(new URL(page.url()).searchParams);
  assert.equal(query.session, String(id));
  const analysis = await service.points(query);
  await until("the chart matches the service", async () => assert.deepEqual((await chartWith(page, analysis.n)).signals, signalsOf(analysis)));
  await page.goBack();
});

test("two sessions are compared", async () => {
  const [baseline, candidate] = [await idOf("undisturbed"), await idOf("second-load")];
  assert.ok(await part(page, "compare-button").isDisabled());
  await row(baseline).getByTestId("pick-baseline").check();
  await row(candidate).getByTestId("pick-candidate").check();
  await part(page, "compare-button").click();
  const gate = await service.get(`/api/v1/gate?baseline=${baseline}&candidate=${candidate}`);
  assert.equal(gate.verdict, "fail");
  const compared = async () => {
    await part(page, "gate-verdict").waitFor();
    assert.equal(await part(page, "gate-verdict").getAttribute("data-verdict"), gate.verdict);
    assert.equal(await part(page, "gate-headline").innerText(), gate.headline);
    const decisions = await page.locator('[data-testid="gate-table"] tbody tr').evaluateAll((rows) => rows.map((row) => [row.querySelector("th").innerText, row.querySelector(".badge").innerText]));
    const labels = { worse: "worse", not_worse: "not worse", cannot_tell: "cannot tell", not_enough_data: "not enough data" };
    assert.deepEqual(decisions, gate.pairs.flatMap(({ comparisons }) => comparisons.map(({ statistic, decision }) => [statistic, labels[decision]])));
  };
  await compared();
  await page.reload();
  await compared();
});

/** A log of 60 requests of one night, some per cent slower or not. */
function night(day, slowdown) {
  const jitter = (second) => ((second * 7919 + day * 104729) % 101) / 1000;
  const line = (second) => ({ started_at: `2026-11-${String(day).padStart(2, "0")}T02:00:${String(second).padStart(2, "0")}Z`, provider: "nightly", model: "m", e2e_s: (0.3 + jitter(second)) * slowdown });
  return Array.from({ length: 60 }, (_, second) => JSON.stringify(line(second))).join("\n");
}

test("several sessions are judged as runs", async () => {
  const days = Array.from({ length: 12 }, (_, index) => index + 1);
  const nights = [];
  for (const day of days) {
    const sent = await fetch(`${service.url}/api/v1/sessions?name=night-${day}`, { method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body: night(day, day < 9 ? 1 : 1.3) });
    assert.equal(sent.status, 201);
    nights.push((await sent.json()).id);
  }
  await page.goto(`${service.url}/sessions`);
  await row(nights[0]).waitFor();
  for (const id of nights) await row(id).getByTestId("pick-run").check();
  await part(page, "runs-link").click();
  await part(page, "chart-of-runs").waitFor();
  const ids = new URL(page.url()).searchParams.get("session");
  assert.deepEqual(ids.split(",").map(Number).sort((a, b) => a - b), nights.toSorted((a, b) => a - b));
  const judged = await service.get(`/api/v1/analysis?session=${ids}&metric=e2e_s`);
  assert.equal(judged.analyses[0].verdict, "changed");
  assert.equal(judged.analyses[0].answer.since.run.name, "night-9");
  assert.equal(await part(page, "headline").innerText(), judged.headline);
  assert.equal(await part(page, "session-select").inputValue(), ids);
  for (const id of nights) assert.equal((await fetch(`${service.url}/api/v1/sessions/${id}`, { method: "DELETE" })).status, 200);
});

test("a session is deleted after a confirmation", async () => {
  await page.goto(`${service.url}/sessions`);
  const id = await idOf("paused");
  await row(id).getByTestId("delete-button").click();
  await page.keyboard.press("Escape");
  await part(page, "delete-dialog").waitFor({ state: "detached" });
  assert.equal((await sessions()).length, 3);
  await row(id).getByTestId("delete-button").click();
  await part(page, "delete-confirm").click();
  await row(id).waitFor({ state: "detached" });
  assert.deepEqual((await sessions()).map(({ name }) => name.replace(".json", "")).sort(), ["second-load", "undisturbed"]);
});

test("the console is empty", () => close(page));
