// API keys: the page asks for the key, stores it, forgets it, and explains what it does not allow.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAnother, close, chartWith, launch, open, part, until } from "./pages.mjs";
import { quiet, serve } from "./service.mjs";

const [READ, WRITE, ADMIN] = ["r-12345678", "w-12345678", "a-12345678"];
let browser, service;
before(async () => {
  const env = { LLMSCOPE_API_KEY: ADMIN, LLMSCOPE_API_KEYS: `r:read:${READ},w:write:${WRITE}` };
  [browser, service] = await Promise.all([launch(), serve({ env })]);
  service.key = ADMIN;
  await service.records([...quiet(60), 1.5]);
  await service.post("/api/v1/sessions?name=one.json", { schema: "llmscope.session/1", name: "one", provider: "p", model: "m", records: [{ started_at: "2026-01-01T00:00:00Z", ttft_s: 0.3, e2e_s: 1 }] });
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

// The browser logs refused requests to the console.
const openWithoutKey = (path) => open(browser, service.url + path, { expected: [/status of 401/] });
const enterKey = async (page, key) => {
  await part(page, "key-input").fill(key);
  await part(page, "key-submit").click();
};
const openWithKey = async (path, key) => {
  const page = await openWithoutKey(path);
  await enterKey(page, key);
  await part(page, "key-dialog").waitFor({ state: "detached" });
  return page;
};

test("a wrong key is refused, the right one is accepted and forgotten with the tab", async () => {
  const page = await openWithoutKey("/live");
  await part(page, "key-dialog").waitFor();
  assert.match(await part(page, "key-dialog").innerText(), /requires an API key/);
  assert.equal(await part(page, "chart").count(), 0);
  await enterKey(page, "not-the-key");
  await until("the dialog reports it", async () => assert.match(await part(page, "key-dialog").innerText(), /does not accept this key/));
  assert.equal(await part(page, "chart").count(), 0);
  await enterKey(page, ADMIN);
  await chartWith(page, 61);
  await part(page, "key-dialog").waitFor({ state: "detached" });
  await page.locator('[data-testid="connection"][data-state="live"]').waitFor();
  const me = await service.get("/api/v1/whoami");
  await until("the name of the key", async () => assert.equal(await part(page, "whoami").innerText(), `${me.name} (admin)`));
  await page.reload();
  await chartWith(page, 61);
  assert.ok(!page.url().includes(ADMIN));
  const other = await openAnother(page, `${service.url}/`);
  await part(other, "key-dialog").waitFor();
  await part(page, "key-forget").click();
  await part(page, "key-dialog").waitFor();
  await until("no data stay visible", async () => assert.equal(await part(page, "chart").count(), 0));
  await close(page);
});

test("a key can be remembered on the device", async () => {
  const page = await openWithoutKey("/live");
  await part(page, "key-remember").check();
  await enterKey(page, ADMIN);
  await chartWith(page, 61);
  const other = await openAnother(page, `${service.url}/live`);
  await chartWith(other, 61);
  assert.deepEqual(other.complaints, []);
  await close(page);
});

test("a read key changes nothing, and every view explains why", async () => {
  const refused = await fetch(`${service.url}/api/v1/series/1/baseline`, { method: "DELETE", headers: { Authorization: `Bearer ${READ}` } });
  assert.equal(refused.status, 403);
  const page = await openWithKey("/live", READ);
  await chartWith(page, 61);
  const off = { "/live": ["limits-button", "remove-button"], "/violations": ["ack-button", "resolve-button", "note-button"], "/sessions": ["delete-button", "upload-input"] };
  for (const [path, controls] of Object.entries(off)) {
    await page.goto(service.url + path);
    await until(path, async () => assert.match(await part(page, "write-barrier").innerText(), /“r” may only read.*“write”/));
    for (const control of controls) assert.ok(await part(page, control).first().isDisabled(), control);
  }
  // Reading still works.
  await page.goto(`${service.url}/analysis?series=1`);
  await chartWith(page, 61);
  await close(page);
});

test("a write key cannot remove series", async () => {
  const page = await openWithKey("/live", WRITE);
  await chartWith(page, 61);
  await until("the limits button is enabled", async () => assert.ok(await part(page, "limits-button").isEnabled()));
  assert.equal(await part(page, "write-barrier").count(), 0);
  assert.ok(await part(page, "remove-button").isDisabled());
  assert.match(await part(page, "remove-button").getAttribute("title"), /“admin”/);
  // A new key takes effect immediately.
  await part(page, "key-button").click();
  await enterKey(page, ADMIN);
  await until("the remove button is enabled", async () => assert.ok(await part(page, "remove-button").isEnabled()));
  await close(page);
});
