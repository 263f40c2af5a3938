// Opens the HTML report in a real browser, from file:// and offline.
// PAGE_PROGRAM: the program that writes it; PAGE_MODULES: the folder that contains node_modules; PAGE_BROWSER: Chromium.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

const { PAGE_PROGRAM, PAGE_MODULES, PAGE_BROWSER } = process.env;
const require = createRequire(join(PAGE_MODULES, "package.json"));
const { chromium } = require("playwright-core");
const axe = require("axe-core");

const SESSIONS = new URL("../../../examples/sessions/", import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), "page-"));
let browser;

before(async () => {
  // Chromium's sandbox does not work for root in containers. The page is trusted.
  browser = await chromium.launch({ executablePath: PAGE_BROWSER, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
});
after(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true });
});

function write(name, ...args) {
  const path = join(directory, name);
  execFileSync(PAGE_PROGRAM, ["report", ...args, "-o", path], { stdio: ["ignore", "ignore", "pipe"] });
  return path;
}

// Opens a page that fails the test on a request, an error or a console message.
async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, offline: true, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => page.complaints.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => page.complaints.push(`error: ${error.stack}`));
  page.on("dialog", (dialog) => { page.complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => {
    if (request.url() !== `file://${path}` && !/^(data|blob):/.test(request.url())) page.complaints.push(`request: ${request.url()}`);
  });
  await page.goto(`file://${path}`);
  return page;
}

async function close(page) {
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

const sessions = (...names) => names.map((name) => join(SESSIONS, `${name}.json`));
const live = (page, chart = 0) => page.locator(`#series-1 figure[data-chart="${chart}"] .live`);
const tip = (page) => page.locator("#series-1 .tip:not([hidden])");

// Scrolls to the first chart and waits until it is drawn.
async function firstChart(page) {
  await page.locator('#series-1 figure[data-ready="true"]').first().waitFor();
  await live(page).scrollIntoViewIfNeeded();
  return live(page).locator(".u-over").boundingBox();
}

describe("a page of three sessions", () => {
  let path, small;
  before(() => {
    small = write("small.html", ...sessions("paused"), "--metric", "ttft_s", "--metric", "error_rate", "--slo", "ttft=800ms");
    path = write("sessions.html", ...sessions("paused", "second-load", "undisturbed"), "--by", "session", "--slo", "ttft=800ms,e2e=800ms");
  });

  const pages = { "one session": () => small, "several runs": () => path };
  const wide = { width: 1280, height: 900 }, phone = { width: 390, height: 844 };
  for (const [what, of] of Object.entries(pages)) {
    for (const [colorScheme, viewport] of [["light", wide], ["light", phone], ["dark", wide], ["dark", phone]]) {
      test(`accessible: ${what}, ${colorScheme}, ${viewport.width} px`, async () => {
        // The content security policy of the page forbids injected scripts such as axe.
        const page = await open(of(), { colorScheme, viewport, bypassCSP: true });
        assert.equal(await page.locator("section.study").count() > 0, what === "several runs");
        await firstChart(page);
        await page.locator("#series-1 details summary").first().click();
        await live(page).focus();
        await page.keyboard.press("n");
        await tip(page).waitFor();
        await page.evaluate(axe.source);
        const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
        assert.ok(passes.length > 20, "axe ran its checks");
        const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        assert.deepEqual(grave.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`), []);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `the page is ${overflow} px wider than the window`);
        await close(page);
      });
    }
  }

  test("the answers come first, and lead to a section that draws the change", async () => {
    const page = await open(path);
    const first = page.locator("table.answers tbody tr").first();
    assert.match(await first.innerText(), /changed\s+second-load\s+tpot_s\s+300\s+slower by \d+ % .* since 2026-11-23T11:42:49Z/s);
    await first.getByRole("link").click();
    assert.equal(new URL(page.url()).hash, "#series-6");
    const chart = page.locator('#series-6 figure[data-chart="0"]');
    await page.locator('#series-6 figure[data-ready="true"]').first().waitFor();
    // The share of the height of the chart that is red, halfway between the points before and after the change.
    const red = await chart.locator(".live").evaluate((host, point) => {
      const [canvas, over] = [host.querySelector("canvas"), host.querySelector(".u-over").getBoundingClientRect()];
      const { left, top, width } = canvas.getBoundingClientRect();
      const ratio = canvas.width / width;
      const [from, to] = [-2.99, 301.99];
      const x = Math.round((over.left - left + (over.width * (point - 0.5 - from)) / (to - from)) * ratio);
      const height = Math.round(over.height * ratio);
      const { data } = canvas.getContext("2d").getImageData(x - 2, Math.round((over.top - top) * ratio), 5, height);
      let rows = 0;
      for (let y = 0; y < height; y++) {
        rows += [0, 1, 2, 3, 4].some((k) => data[(y * 5 + k) * 4] > data[(y * 5 + k) * 4 + 1] + 80);
      }
      return rows / height;
    }, 150);
    assert.ok(red > 0.95, `${red}`);
    await close(page);
  });

  test("hover and keys show the rule", async () => {
    const page = await open(path);
    await firstChart(page);
    await live(page).focus();
    await page.keyboard.press("n");
    await tip(page).waitFor();
    const text = await tip(page).innerText();
    assert.match(text, /nelson-\d: .*(beyond|in a row)/);
    // The rules judge the last stage, from point 175 on.
    assert.match(text, /point 182 · 2026-11-23 11:44:17/);
    assert.ok((await page.locator("#series-1 .announcement").innerText()).includes("nelson-"), "a screen reader announces it");
    // The mouse shows the same text for the same point.
    const dot = await live(page).locator(".u-cursor-pt").boundingBox();
    await live(page).blur();
    await tip(page).waitFor({ state: "detached" });
    await page.mouse.move(dot.x + dot.width / 2, dot.y + dot.height / 2);
    await tip(page).waitFor();
    assert.equal(await tip(page).innerText(), text);
    await close(page);
  });

  test("a drag zooms both charts, and there are three ways to reset the zoom", async () => {
    const page = await open(path);
    const box = await firstChart(page);
    const reset = page.locator("#series-1").getByRole("button", { name: "Reset zoom" });
    const pixels = (chart) => live(page, chart).locator("canvas").evaluate((canvas) => canvas.toDataURL());
    const drag = async () => {
      await page.mouse.move(box.x + box.width * 0.3, box.y + 80);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.45, box.y + 90, { steps: 5 });
      await page.mouse.up();
      await page.locator("#series-1 .tools button:not(:disabled)", { hasText: "Reset zoom" }).waitFor();
      await page.mouse.move(5, 5);
    };
    assert.ok(await reset.isDisabled());
    const whole = [await pixels(0), await pixels(1)];
    for (const back of [
      () => reset.click(),
      () => page.mouse.dblclick(box.x + box.width / 2, box.y + 60),
      async () => { await live(page).focus(); await page.keyboard.press("Escape"); },
    ]) {
      await drag();
      assert.notEqual(await pixels(0), whole[0]);
      assert.notEqual(await pixels(1), whole[1], "the moving range chart follows");
      await back();
      await page.locator("#series-1 .tools button:disabled", { hasText: "Reset zoom" }).waitFor();
    }
    // A row of the table zooms to its points.
    await page.locator("#series-1").getByRole("button", { name: /^Show points/ }).first().click();
    await page.locator("#series-1 .tools button:not(:disabled)", { hasText: "Reset zoom" }).waitFor();
    await close(page);
  });

  test("far points can be drawn at the edge", async () => {
    const page = await open(path);
    await firstChart(page);
    const pixels = () => live(page).locator("canvas").evaluate((canvas) => canvas.toDataURL());
    const [whole, closer] = [await pixels(), page.locator("#series-1").getByRole("button", { name: "Near the limits" })];
    await closer.click();
    assert.equal(await closer.getAttribute("aria-pressed"), "true");
    await page.waitForFunction((before) => document.querySelector("#series-1 canvas").toDataURL() !== before, whole);
    await closer.click();
    await page.waitForFunction((before) => document.querySelector("#series-1 canvas").toDataURL() === before, whole);
    await close(page);
  });

  test("the axis can be time", async () => {
    const page = await open(path);
    await firstChart(page);
    const toggle = page.locator("#series-1").getByRole("button", { name: "Time axis" });
    assert.equal(await toggle.getAttribute("aria-pressed"), "false");
    await toggle.click();
    assert.equal(await toggle.getAttribute("aria-pressed"), "true");
    await live(page).focus();
    await page.keyboard.press("End");
    await tip(page).waitFor();
    assert.match(await tip(page).innerText(), /point 298 /);
    await close(page);
  });

  test("the points can be saved", async () => {
    const page = await open(path);
    await firstChart(page);
    const saved = page.waitForEvent("download");
    await page.locator("#series-1").getByRole("button", { name: "Save the points as CSV" }).click();
    const download = await saved;
    assert.equal(download.suggestedFilename(), "paused-ttft_s.csv");
    const rows = readFileSync(await download.path(), "utf8").trim().split("\n");
    assert.equal(rows[0], "chart,point,time,value,lower,center,upper,signals");
    assert.equal(rows.filter((row) => row.startsWith("individuals,")).length, 299);
    assert.ok(rows.some((row) => row.endsWith("nelson-1")));
    await close(page);
  });

  test("in print and without scripts the charts are images", async () => {
    const page = await open(path);
    await firstChart(page);
    const still = page.locator("#series-1 .still svg").first();
    assert.ok(!(await still.isVisible()));
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    assert.ok(await still.isVisible());
    assert.ok(!(await live(page).isVisible()));
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
    const pdf = await page.pdf({ format: "A4" });
    assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
    assert.ok(pdf.length > 50_000, `${pdf.length} bytes`);
    await close(page);
    const plain = await open(path, { javaScriptEnabled: false });
    assert.ok(await plain.locator("#series-1 .still svg").first().isVisible());
    assert.equal(await plain.locator("#series-1 button").count(), 0, "no button without a function");
    await close(plain);
  });
});

test("hostile names stay text", async () => {
  const evil = "</script><script>alert(1)</script>";
  const records = Array.from({ length: 40 }, (_, i) => ({
    started_at: new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString(),
    ttft_s: i === 30 ? 2 : 0.3 + (i % 7) * 0.01,
  }));
  const session = {
    schema: "llmscope.session/1", name: evil, model: evil, provider: "<img src=x onerror=alert(2)>",
    labels: { "<svg onload=alert(3)>": '"><script>alert(4)</script>' }, records,
    events: [{ at: records[20].started_at, message: "<img src=x onerror=alert(5)>" }],
  };
  const log = join(directory, "hostile.json");
  writeFileSync(log, JSON.stringify(session));
  const page = await open(write("hostile.html", log, "--title", evil));
  await firstChart(page);
  assert.equal(await page.title(), evil);
  await live(page).focus();
  for (let i = 0; i < 21; i++) await page.keyboard.press("ArrowRight");
  await tip(page).waitFor();
  assert.match(await tip(page).innerText(), /before it, A: <img src=x/);
  await close(page);
});

test("100,000 points give a small and fast page", async () => {
  let state = 7;
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const values = Array.from({ length: 100_000 }, (_, i) => 300 + 40 * (next() + next() + next() - 1.5) + (i === 70_000 ? 400 : 0));
  const log = join(directory, "long.csv");
  writeFileSync(log, `latency_ms\n${values.join("\n")}\n`);
  const path = write("long.html", log, "--column", "latency_ms");
  const { size } = statSync(path);
  assert.ok(size < 1_500_000, `${size} bytes`);
  const start = performance.now();
  const page = await open(path);
  const box = await firstChart(page);
  const ready_ms = performance.now() - start;
  // Mouse moves across the whole chart, each of which draws a tooltip.
  const slowest_ms = await live(page).locator(".u-over").evaluate(async (over) => {
    const { left, top, width } = over.getBoundingClientRect();
    let slowest = 0;
    for (let k = 0; k < 60; k++) {
      const begin = performance.now();
      over.dispatchEvent(new MouseEvent("mousemove", { clientX: left + (width * k) / 60, clientY: top + 40, bubbles: true }));
      await new Promise(requestAnimationFrame);
      slowest = Math.max(slowest, performance.now() - begin);
    }
    return slowest;
  });
  console.log(`# ${size} bytes, ready after ${Math.round(ready_ms)} ms, slowest move ${Math.round(slowest_ms)} ms`);
  // The spike, the highest point, is not lost by downsampling.
  await page.mouse.move(box.x + box.width * 0.7, box.y + 30);
  await live(page).focus();
  const found = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).analyses[0].charts[0].i.includes(70000));
  assert.ok(found);
  await close(page);
});
