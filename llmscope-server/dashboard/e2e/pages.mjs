// Starts the browser, opens pages that record problems, and reads the state of pages.
// E2E_BROWSER: the path of Chromium; E2E_MODULES: the folder that contains node_modules.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(join(process.env.E2E_MODULES ?? fileURLToPath(new URL("..", import.meta.url)), "package.json"));
const { chromium } = require("playwright-core");
const axe = require("axe-core");

export const DESKTOP = { width: 1360, height: 900 };
export const PHONE = { width: 360, height: 740 };

// Chromium's sandbox does not work for root in containers. The pages are trusted.
export const launch = () => chromium.launch({ executablePath: process.env.E2E_BROWSER, args: ["--no-sandbox", "--disable-dev-shm-usage"] });

/**
 * Opens a page that records complaints: errors, console messages (which include policy violations), dialogs, and requests
 * to other origins. `expected` are patterns of complaints that a test provokes.
 */
export async function open(browser, url, { expected = [], ...options } = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, timezoneId: "Europe/Berlin", ...options });
  const page = await context.newPage();
  watch(page, new URL(url).origin, expected);
  await page.goto(url);
  return page;
}

function watch(page, origin, expected) {
  const complaints = [];
  page.complaints = complaints;
  const complain = (text) => expected.some((pattern) => pattern.test(text)) || complaints.push(text);
  page.on("console", (message) => complain(`console: ${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => complain(`error: ${error.stack}`));
  page.on("dialog", (dialog) => { complain(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
  page.on("request", (request) => {
    const { protocol, origin: to } = new URL(request.url());
    if (to !== origin && protocol !== "data:" && protocol !== "blob:") complain(`request: ${request.url()}`);
  });
}

export async function close(page) {
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** Another page of the same browser window, with the same key. */
export async function openAnother(page, url) {
  const next = await page.context().newPage();
  watch(next, new URL(url).origin, []);
  await next.goto(url);
  return next;
}

export const part = (page, testId) => page.getByTestId(testId);

/** Waits for a chart of `n` values, and returns the number of drawn points and the positions that signal. */
export async function chartWith(page, n, timeout = 10_000) {
  const chart = page.locator(`[data-testid="chart"][data-n="${n}"]`);
  await chart.waitFor({ timeout });
  return { points: Number(await chart.getAttribute("data-points")), signals: JSON.parse(await chart.getAttribute("data-signals")) };
}

/** Retries `holds` until it succeeds. */
export async function until(what, holds, timeout = 10_000) {
  const end = Date.now() + timeout;
  for (;;) {
    try {
      return await holds();
    } catch (error) {
      if (Date.now() > end) throw new Error(`${what}: ${error.message}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The rules whose marker color is visible near the point under the cursor. */
export const rulesUnderCursor = (page) => page.evaluate(() => {
  const dot = document.querySelector(".u-cursor-pt").getBoundingClientRect();
  const canvas = document.querySelector('[data-testid="chart-plot"] canvas');
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  const [x, y] = [(dot.x + dot.width / 2 - box.x) * scale, (dot.y + dot.height / 2 - box.y) * scale];
  const radius = Math.round(7 * scale);
  const copy = Object.assign(document.createElement("canvas"), { width: 2 * radius, height: 2 * radius }).getContext("2d");
  copy.drawImage(canvas, radius - Math.round(x), radius - Math.round(y));
  const { data } = copy.getImageData(0, 0, 2 * radius, 2 * radius);
  const style = getComputedStyle(document.documentElement);
  const rgb = (color) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  const seen = (color) => {
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if (rgb(color).every((value, k) => Math.abs(value - data[at + k]) < 3)) count += 1;
    return count;
  };
  return Array.from({ length: 8 }, (_, k) => k + 1).filter((rule) => seen(style.getPropertyValue(`--rule-${rule}`).trim()) > 4);
});

/** Asserts that axe finds no serious or critical barrier, and that nothing is wider than the window. */
export async function assertAccessible(page, what) {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
  assert.ok(passes.length > 10, "axe ran its checks");
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(grave.map(({ id, nodes }) => `${what}: ${id}: ${nodes[0].html} ${nodes[0].failureSummary}`), []);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${what} is ${overflow} px wider than the window`);
}
