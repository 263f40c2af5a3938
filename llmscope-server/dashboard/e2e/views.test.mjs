// Every view in both themes, on a desktop and on a phone, is accessible and fits into the window.
// E2E_PICTURES: a folder for a screenshot of each view.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { assertAccessible, close, DESKTOP, launch, open, part, PHONE, until } from "./pages.mjs";
import { quiet, serve } from "./service.mjs";

const { E2E_PICTURES } = process.env;
const EXAMPLES = new URL("../../../examples/sessions/", import.meta.url);
const KEY = "ops-12345678";
let browser, empty, locked, service;

before(async () => {
  if (E2E_PICTURES) mkdirSync(E2E_PICTURES, { recursive: true });
  [browser, empty, locked, service] = await Promise.all([launch(), serve(), serve({ env: { LLMSCOPE_API_KEY: KEY, LLMSCOPE_API_KEYS: "grafana:read:grafana-1234" } }), serve()]);
  await fill(service);
  locked.key = KEY;
  await locked.records([...quiet(40), 1.2]);
});
after(async () => {
  await browser?.close();
  await Promise.all([empty, locked, service].map((one) => one?.stop()));
});

/** Fills a service with series that are in control, out of control and learning, violations with notes, and sessions. */
async function fill(service) {
  const values = [...quiet(160), ...Array.from({ length: 12 }, (_, k) => 0.318 + (k % 3) * 0.002), ...quiet(60, { seed: 5 })];
  values[90] = 0.52;
  values[200] = 0.61;
  await service.records(values, { apart: 20_000, ttft_s: quiet(values.length, { center: 0.08, spread: 0.02, seed: 13 }) });
  const other = { provider: "ollama", model: "registry.example/someone/gemma3-27b-it-qat:q4_0" };
  await service.records(quiet(12, { center: 2.2, spread: 0.5 }), { of: other });
  await service.records(quiet(50, { center: 1.1, seed: 3 }), { of: { provider: "vllm" } });
  const { violations } = await service.get("/api/v1/violations");
  await service.post(`/api/v1/violations/${violations[0].id}/acknowledge`, { note: "A second job was on the same machine; asked the owner to move it." });
  await service.post(`/api/v1/violations/${violations.at(-1).id}/resolve`, { note: "driver update" });
  for (const name of ["undisturbed", "second-load", "paused"]) {
    await service.request(`/api/v1/sessions?name=${name}.json`, { method: "POST", body: readFileSync(new URL(`${name}.json`, EXAMPLES)), type: "application/octet-stream" });
  }
}

const chart = async (page) => {
  await part(page, "chart").waitFor();
  await part(page, "statistics").waitFor();
};
const tooltip = async (page) => {
  await chart(page);
  await part(page, "chart-plot").focus();
  await page.keyboard.press("n");
  await part(page, "chart-tooltip").waitFor();
};
const histogram = async (page) => {
  await chart(page);
  await part(page, "histogram").waitFor();
};
const dialog = (button, name) => async (page) => {
  await part(page, button).and(page.locator(":enabled")).first().click();
  await part(page, name).waitFor();
};
const series = async (metric, provider) => (await service.series()).find((one) => one.metric === metric && one.provider === provider).id;

// Name, address, condition that the view is ready.
const VIEWS = [
  ["overview", async () => "/", (page) => part(page, "endpoint").first().waitFor()],
  ["overview-nothing", async () => "/?q=nothing", (page) => part(page, "empty").waitFor()],
  ["empty-overview", async () => empty.url, (page) => part(page, "empty").waitFor()],
  ["live", async () => `/live?series=${await series("e2e_s", "openai")}`, tooltip],
  ["live-calm", async () => `/live?series=${await series("ttft_s", "openai")}&x=time&usl=100ms`, chart],
  ["live-learning", async () => `/live?series=${await series("e2e_s", "ollama")}`, chart],
  ["live-limits-dialog", async () => `/live?series=${await series("e2e_s", "openai")}`, dialog("limits-button", "limits-dialog")],
  ["live-remove-dialog", async () => `/live?series=${await series("e2e_s", "openai")}`, dialog("remove-button", "remove-dialog")],
  ["analysis", async () => `/analysis?series=${await series("e2e_s", "openai")}&metric=e2e_s&phase1=20..80&usl=400ms&lsl=200ms&target=300ms`, histogram],
  ["analysis-session", async () => "/analysis?session=2&metric=e2e_s", histogram],
  ["analysis-groups", async () => "/analysis?metric=e2e_s&chart=ewma", histogram],
  ["analysis-cusum", async () => `/analysis?series=${await series("e2e_s", "openai")}&metric=e2e_s&chart=cusum&rules=1,2`, histogram],
  ["analysis-nothing", async () => "/analysis?metric=cost_usd", (page) => part(page, "empty").waitFor()],
  ["analysis-refused", async () => "/analysis?metric=e2e_s&usl=soon", (page) => part(page, "error").waitFor()],
  ["violations", async () => "/violations", (page) => part(page, "violation-row").first().waitFor()],
  ["violations-none", async () => "/violations?rule=nelson-8", (page) => part(page, "empty").waitFor()],
  ["violations-note-dialog", async () => "/violations", dialog("ack-button", "note-dialog")],
  ["sessions", async () => "/sessions", (page) => part(page, "session-row").first().waitFor()],
  ["sessions-compared", async () => "/sessions?baseline=1&candidate=2", (page) => part(page, "gate-table").first().waitFor()],
  ["sessions-delete-dialog", async () => "/sessions", dialog("delete-button", "delete-dialog")],
  ["not-found", async () => "/", async (page) => {
    await page.evaluate(() => { history.pushState(null, "", "/elsewhere"); dispatchEvent(new PopStateEvent("popstate")); });
    await part(page, "empty").waitFor();
  }],
  ["empty-live", async () => `${empty.url}/live`, (page) => part(page, "empty").waitFor()],
  ["empty-sessions", async () => `${empty.url}/sessions`, (page) => part(page, "empty").waitFor()],
  ["empty-violations", async () => `${empty.url}/violations`, (page) => part(page, "empty").waitFor()],
  ["empty-analysis", async () => `${empty.url}/analysis`, (page) => part(page, "empty").waitFor()],
  ["key-dialog", async () => locked.url, (page) => part(page, "key-dialog").waitFor()],
  ["read-only", async () => `${locked.url}/live`, async (page) => {
    await part(page, "key-input").fill("grafana-1234");
    await part(page, "key-submit").click();
    await part(page, "write-barrier").waitFor();
    await chart(page);
  }],
];

for (const [width, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) {
  describe(width, () => {
    for (const [name, where, ready] of VIEWS) {
      test(name, async () => {
        const url = await where();
        // The content security policy of the pages forbids injected scripts such as axe.
        const page = await open(browser, url.startsWith("http") ? url : service.url + url, { viewport, bypassCSP: true, reducedMotion: "reduce", expected: [/status of (401|422)/] });
        await ready(page);
        await page.locator('[data-testid="skeleton"]').first().waitFor({ state: "detached" });
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          await page.locator(`html[data-theme="${colorScheme}"]`).waitFor();
          if (E2E_PICTURES) await page.screenshot({ path: join(E2E_PICTURES, `${name}-${colorScheme}-${width}.png`), fullPage: true });
          await assertAccessible(page, `${name}, ${colorScheme}`);
        }
        await close(page);
      });
    }
  });
}

test("the selected theme is kept", async () => {
  const page = await open(browser, `${service.url}/live`, { colorScheme: "light" });
  await chart(page);
  const canvas = () => page.locator("[data-testid=chart-plot] canvas").evaluate((own) => own.toDataURL());
  const light = await canvas();
  await part(page, "theme-toggle").click();
  await until("the chart is drawn again", async () => assert.notEqual(await canvas(), light));
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await close(page);
});

test("the content security policy blocks scripts and requests", async () => {
  const page = await open(browser, `${service.url}/live`, { expected: [/Content Security Policy/] });
  await chart(page);
  const ran = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "globalThis.ran = true";
    document.body.append(script);
    const reached = await fetch("http://localhost:1/").then(() => true, () => false);
    return [globalThis.ran === true, reached];
  });
  assert.deepEqual(ran, [false, false]);
  page.complaints.splice(0);
  await close(page);
});
