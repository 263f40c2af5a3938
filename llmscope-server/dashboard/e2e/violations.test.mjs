// Violations: changes on one page appear on other pages and are stored by the service.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAnother, close, chartWith, launch, open, part, until } from "./pages.mjs";
import { quiet, serve } from "./service.mjs";

let browser, service;
before(async () => {
  [browser, service] = await Promise.all([launch(), serve({ env: { LLMSCOPE_API_KEYS: "ada:write:ada-12345678" } })]);
  service.key = "ada-12345678";
  const values = [...quiet(80), ...Array.from({ length: 12 }, (_, k) => 0.318 + (k % 3) * 0.002), ...quiet(20, { seed: 5 })];
  values[50] = 1.1;
  await service.records(values);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const opened = async (path) => {
  const page = await open(browser, `${service.url}/assets/none`, { expected: [/status of 40[14]/] });
  await page.evaluate((key) => sessionStorage.setItem("llmscope-api-key", key), service.key);
  await page.goto(service.url + path);
  return page;
};
const row = (page, id) => page.locator(`[data-testid="violation-row"][data-id="${id}"]`);
const all = async (query = "") => (await service.get(`/api/v1/violations?limit=1000${query}`)).violations;
const shows = (page, violations) => until("the rows match the service", async () => {
  const ids = await page.locator("[data-testid=violation-row]").evaluateAll((rows) => rows.map(({ dataset }) => Number(dataset.id)));
  assert.deepEqual(ids, violations.map(({ id }) => id));
});

test("are acknowledged and resolved on every open page", async () => {
  const page = await opened("/violations");
  const violations = await all();
  assert.ok(violations.some(({ rule }) => rule === "nelson-1") && violations.some(({ rule }) => rule === "nelson-2"));
  await shows(page, violations);
  const { id } = violations.find(({ rule }) => rule === "nelson-1");
  const other = await openAnother(page, page.url());
  // Another tab does not have the key of this tab.
  await other.evaluate((key) => sessionStorage.setItem("llmscope-api-key", key), service.key);
  await other.reload();
  await shows(other, violations);

  await row(page, id).getByTestId("ack-button").click();
  await part(page, "note-submit").click();
  for (const seen of [page, other]) await row(seen, id).and(seen.locator('[data-status="acknowledged"]')).waitFor();
  assert.match(await row(other, id).innerText(), /acknowledged by ada/);
  assert.ok(await row(page, id).getByTestId("ack-button").isDisabled(), "once");

  await row(page, id).getByTestId("resolve-button").click();
  await part(page, "note-input").fill("driver update\nrolled back <b>&");
  await part(page, "note-submit").click();
  for (const seen of [page, other]) await row(seen, id).and(seen.locator('[data-status="resolved"]')).waitFor();
  assert.match(await row(other, id).getByTestId("note").innerText(), /driver update[\s\S]*rolled back <b>&[\s\S]*ada/);

  await row(other, id).getByTestId("note-button").click();
  await part(other, "note-input").fill("seen again");
  await part(other, "note-submit").click();
  await until("both notes", async () => assert.equal(await row(page, id).getByTestId("note").count(), 2));

  await page.reload();
  await row(page, id).and(page.locator('[data-status="resolved"]')).waitFor();
  const kept = await service.get(`/api/v1/violations/${id}`);
  assert.equal(kept.status, "resolved");
  assert.equal(kept.acknowledged.by, "ada");
  assert.deepEqual(kept.notes.map(({ text }) => text), ["driver update\nrolled back <b>&", "seen again"]);
  assert.match(await row(page, id).innerText(), /seen again/);
  other.complaints.forEach((text) => assert.match(text, /status of 401/));
  await close(page);
});

test("a new violation appears without a reload", async () => {
  const page = await opened("/violations");
  const before = await all();
  await shows(page, before);
  await service.log_latencies([2.5]);
  const now = await all();
  assert.ok(now.length > before.length);
  await shows(page, now);
  assert.equal(await row(page, now[0].id).getAttribute("data-open"), String(now[0].open));
  await service.log_latencies([0.3]);
  await row(page, now[0].id).and(page.locator('[data-open="false"]')).waitFor();
  await close(page);
});

test("are filtered like on the service", async () => {
  const page = await opened("/violations");
  for (const [name, value] of [["status", "new,acknowledged"], ["status", "resolved"], ["open", "false"], ["rule", "nelson-2"]]) {
    await page.goto(`${service.url}/violations`);
    await part(page, `filter-${name}`).selectOption(value);
    await shows(page, await all(`&${name}=${value}`));
    assert.equal(new URL(page.url()).searchParams.get(name), value);
    await page.reload();
    await shows(page, await all(`&${name}=${value}`));
  }
  await page.goto(`${service.url}/violations?rule=nelson-8&status=resolved&open=true`);
  assert.match(await part(page, "empty").innerText(), /No violation matches/);
  await close(page);
});

test("link to the chart and show the point", async () => {
  const page = await opened("/violations");
  for (const rule of ["nelson-1", "nelson-2"]) {
    await page.goto(`${service.url}/violations?rule=${rule}`);
    const violation = (await all(`&rule=${rule}`)).at(-1);
    await row(page, violation.id).getByTestId("violation-chart").click();
    await part(page, "chart-tooltip").waitFor();
    const text = await part(page, "chart-tooltip").innerText();
    assert.ok(text.includes(`${rule}: `), text);
    const shown = new Date(violation.signal_at).toLocaleTimeString("en-GB", { timeZone: "Europe/Berlin" });
    assert.ok(text.includes(shown), `${text} at ${shown}`);
    await part(page, "span-reset").click();
    await chartWith(page, (await service.points({ series: "1" })).n);
  }
  await close(page);
});

test("older violations are loaded on request", async () => {
  const values = Array.from({ length: 60 }, (_, k) => [...quiet(11, { seed: 20 + k }), 1.5]).flat();
  await service.records(values);
  const violations = await all();
  assert.ok(violations.length > 60);
  const page = await opened("/violations");
  await shows(page, violations.slice(0, 50));
  for (let pages = Math.ceil(violations.length / 50) - 1; pages > 0; pages--) await part(page, "load-more").click();
  await shows(page, violations);
  await part(page, "load-more").waitFor({ state: "detached" });
  // After a reconnect, the page reloads as many violations as it showed.
  const reloaded = page.waitForResponse((response) => response.url().includes(`limit=${violations.length}`));
  for (let click = 0; click < 2; click++) await part(page, "pause-toggle").click();
  await reloaded;
  await shows(page, violations);
  await part(page, "load-more").waitFor({ state: "detached" });
  await close(page);
});
