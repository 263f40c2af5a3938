// Who may do what: the key is asked for, kept, forgotten, and what it does not allow says why.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { another, close, drawn, launch, open, part, until } from "./pages.mjs";
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

// The browser itself writes refusals into the console.
const asked = (path) => open(browser, service.url + path, { expected: [/status of 401/] });
const give = async (page, key) => {
  await part(page, "key-input").fill(key);
  await part(page, "key-submit").click();
};
const entered = async (path, key) => {
  const page = await asked(path);
  await give(page, key);
  await part(page, "key-dialog").waitFor({ state: "detached" });
  return page;
};

test("a wrong key is refused, the right one is taken and forgotten with the tab", async () => {
  const page = await asked("/");
  await part(page, "key-dialog").waitFor();
  assert.match(await part(page, "key-dialog").innerText(), /only to those who have a key/);
  assert.equal(await part(page, "chart").count(), 0);
  await give(page, "not-the-key");
  await until("it says so", async () => assert.match(await part(page, "key-dialog").innerText(), /does not accept the key/));
  assert.equal(await part(page, "chart").count(), 0);
  await give(page, ADMIN);
  await drawn(page, 61);
  await part(page, "key-dialog").waitFor({ state: "detached" });
  await page.locator('[data-testid="connection"][data-state="live"]').waitFor();
  const me = await service.get("/api/v1/whoami");
  await until("who it is", async () => assert.equal(await part(page, "whoami").innerText(), `${me.name} (admin)`));
  await page.reload();
  await drawn(page, 61);
  assert.ok(!page.url().includes(ADMIN));
  const other = await another(page, `${service.url}/`);
  await part(other, "key-dialog").waitFor();
  await part(page, "key-forget").click();
  await part(page, "key-dialog").waitFor();
  await until("nothing stays in sight", async () => assert.equal(await part(page, "chart").count(), 0));
  await close(page);
});

test("a key can be remembered on the device", async () => {
  const page = await asked("/");
  await part(page, "key-remember").check();
  await give(page, ADMIN);
  await drawn(page, 61);
  const other = await another(page, `${service.url}/`);
  await drawn(other, 61);
  assert.deepEqual(other.complaints, []);
  await close(page);
});

test("a key that may read changes nothing, and every view says why", async () => {
  const refused = await fetch(`${service.url}/api/v1/series/1/baseline`, { method: "DELETE", headers: { Authorization: `Bearer ${READ}` } });
  assert.equal(refused.status, 403);
  const page = await entered("/", READ);
  await drawn(page, 61);
  const off = { "/": ["limits-button", "remove-button"], "/violations": ["ack-button", "resolve-button", "note-button"], "/sessions": ["delete-button", "upload-input"] };
  for (const [path, controls] of Object.entries(off)) {
    await page.goto(service.url + path);
    await until(path, async () => assert.match(await part(page, "write-barrier").innerText(), /“r” may only read.*“write”/));
    for (const control of controls) assert.ok(await part(page, control).first().isDisabled(), control);
  }
  // Reading goes on.
  await page.goto(`${service.url}/analysis?series=1`);
  await drawn(page, 61);
  await close(page);
});

test("a key that may write removes no series", async () => {
  const page = await entered("/", WRITE);
  await drawn(page, 61);
  await until("limits may be changed", async () => assert.ok(await part(page, "limits-button").isEnabled()));
  assert.equal(await part(page, "write-barrier").count(), 0);
  assert.ok(await part(page, "remove-button").isDisabled());
  assert.match(await part(page, "remove-button").getAttribute("title"), /“admin”/);
  // Another key at once changes what may be done.
  await part(page, "key-button").click();
  await give(page, ADMIN);
  await until("it may be removed", async () => assert.ok(await part(page, "remove-button").isEnabled()));
  await close(page);
});
