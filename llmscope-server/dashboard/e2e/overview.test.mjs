// The overview: endpoints and metrics, search and sort, open incidents with their actions, at two widths and in both themes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, close, launch, open, part, until } from "./pages.mjs";
import { quiet, serve } from "./service.mjs";

const WIDTHS = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
/** Where pictures are written, if they are wanted. */
const PICTURES = process.env.E2E_PICTURES;

let browser, service;
before(async () => {
  browser = await launch();
  service = await serve({ alarm: "shift" });
  const now = Date.now();
  for (const [provider, model, factor] of [["openai", "gpt-4o", 1.6], ["openai", "gpt-4o-mini", 1.6], ["anthropic", "haiku", 1]]) {
    const level = (slow) => ({ of: { provider, model }, ttft_s: quiet(120, { center: 0.1 * slow, spread: 0.02, seed: 5 }) });
    await service.records(quiet(120, { seed: 8 }), { ...level(1), end: now - 400_000 });
    await service.records(quiet(60, { center: 0.3 * factor, seed: 9 }), { ...level(factor), end: now - 300_000 });
  }
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const incidents = async (query = "open=true") => (await service.get(`/api/v1/incidents?${query}`)).incidents;
const rows = (page) => part(page, "endpoint").locator("th").allInnerTexts();

for (const [width, viewport] of Object.entries(WIDTHS)) {
  for (const colorScheme of ["light", "dark"]) {
    test(`endpoints and incidents are shown: ${width}, ${colorScheme}`, async () => {
      const page = await open(browser, `${service.url}/`, { viewport, colorScheme, bypassCSP: true, reducedMotion: "reduce" });
      await until("three endpoints", async () => assert.deepEqual(await rows(page), ["openai · gpt-4o", "openai · gpt-4o-mini", "anthropic · haiku"]));
      assert.equal(await part(page, "incident").count(), (await incidents()).length);
      assert.match(await part(page, "incident").first().innerText(), /slower by \d+ %[^]*; also [^]*4 series/);
      const worse = page.locator('[data-testid="overview-series"][data-verdict="out_of_control"]');
      assert.equal(await worse.count(), 4);
      assert.match(await worse.first().innerText(), /\+\d+\s%\s*since /);
      await until("sparklines", async () => assert.equal(await page.locator(".spark polyline").count(), 6));
      await assertAccessible(page, `the overview, ${width}, ${colorScheme}`);
      if (PICTURES) await page.screenshot({ path: `${PICTURES}/overview-${width}-${colorScheme}.png`, fullPage: true });
      await close(page);
    });
  }
}

test("search, state and sort are in the address, and a cell leads to its series", async () => {
  const page = await open(browser, `${service.url}/?q=openai&sort=name`);
  await until("two endpoints", async () => assert.deepEqual(await rows(page), ["openai · gpt-4o", "openai · gpt-4o-mini"]));
  await part(page, "overview-search").fill("haiku latency");
  await part(page, "overview-search").press("Enter");
  await until("one endpoint", async () => assert.deepEqual(await rows(page), ["anthropic · haiku"]));
  assert.equal(new URL(page.url()).searchParams.get("q"), "haiku latency");
  await part(page, "overview-state").selectOption("out_of_control");
  await part(page, "empty").waitFor();
  await page.goto(`${service.url}/`);
  const cell = part(page, "overview-series").first();
  const id = await cell.getAttribute("data-series");
  // By keyboard.
  await cell.focus();
  await page.keyboard.press("Enter");
  await part(page, "alarm").waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, `/live?series=${id}`);
  await close(page);
});

test("an address of the former first page leads to its series", async () => {
  const page = await open(browser, `${service.url}/?series=1&window=1h`);
  await part(page, "alarm").waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, "/live?series=1&window=1h");
  await close(page);
});

test("incidents are acknowledged and annotated, and another page shows it", async () => {
  const [page, other] = [await open(browser, `${service.url}/`), await open(browser, `${service.url}/`)];
  await part(page, "incident-acknowledge").first().click();
  await part(page, "incident-note-input").fill("their status page says so");
  await part(page, "incident-submit").click();
  for (const shown of [page, other]) {
    await until("the acknowledgement", async () => {
      assert.equal(await part(shown, "incident").first().getAttribute("data-status"), "acknowledged");
      assert.match(await part(shown, "incident-note").first().innerText(), /their status page says so/);
    });
  }
  const [incident] = await incidents("open=true&status=acknowledged");
  assert.equal(incident.notes[0].text, "their status page says so");
  await service.post("/api/v1/relearn");
  await until("no open incident", async () => assert.equal(await part(other, "open-incidents").count(), 0));
  await close(page);
  await close(other);
});

test("hundreds of series fit, and a change of one is shown", async () => {
  const many = await serve({ alarm: "shift" });
  const records = [];
  for (let model = 0; model < 134; model += 1) {
    for (let i = 0; i < 3; i += 1) {
      records.push({ provider: `provider-${model % 9}`, model: `model-${model}`, started_at: new Date(Date.now() - 60_000 + i * 1000).toISOString(), ttft_s: 0.1, e2e_s: 0.5, output_tokens: 11, tpot_s: 0.04 });
    }
  }
  await many.post("/api/v1/records", { records });
  for (const [width, viewport] of Object.entries(WIDTHS)) {
    const page = await open(browser, `${many.url}/`, { viewport });
    await until("all series", async () => assert.equal(await part(page, "overview-series").count(), 402));
    assert.match(await part(page, "overview-count").innerText(), /134 endpoints, 402 series/);
    await many.records([0.7321], { of: { provider: "provider-0", model: "model-0" }, end: Date.now() });
    // No line breaks between a number and its unit.
    await until("the new value", async () => assert.match(await page.locator('[data-testid="endpoint"]', { hasText: "model-0" }).first().innerText(), /732\.1\u00a0ms/));
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${width}: ${overflow} px wider than the window`);
    if (PICTURES) await page.screenshot({ path: `${PICTURES}/overview-many-${width}.png` });
    await close(page);
  }
  await many.stop();
});
