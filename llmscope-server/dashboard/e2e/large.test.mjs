// 100,000 points: the service downsamples them, the page draws them, and no violation is lost.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { close, chartWith, launch, open, part, until } from "./pages.mjs";
import { quiet, serve } from "./service.mjs";

const N = 100_000;
const TIMEOUT_MS = 120_000;
let browser, service;
before(async () => {
  [browser, service] = await Promise.all([launch(), serve()]);
  const values = quiet(N);
  // Spikes beyond every limit, a few thousand points apart, and a lasting shift near the end.
  for (let i = 1777; i < N; i += 4999) values[i] = 1 + i / N;
  for (let i = 90_000; i < 90_040; i++) values[i] += 0.02;
  const begin = performance.now();
  await service.records(values);
  console.log(`# ${N} records stored and judged in ${Math.round(performance.now() - begin)} ms`);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

test("are drawn with all their violations", { timeout: 5 * TIMEOUT_MS }, async () => {
  const whole = await service.points({ series: "1" });
  assert.equal(whole.n, N);
  assert.ok(whole.patterns.violations.length > 20);
  for (const path of ["/live?series=1&window=all", "/analysis?series=1&metric=e2e_s"]) {
    const begin = performance.now();
    const page = await open(browser, service.url + path);
    const { points, signals } = await chartWith(page, N, TIMEOUT_MS);
    const ready = Math.round(performance.now() - begin);
    assert.ok(points < 10_000, `${points} points`);
    const shown = new Set(signals);
    for (const { rule, signals: [first] } of whole.patterns.violations) assert.ok(shown.has(first), `${rule} at ${first}`);
    assert.match(await part(page, "chart").innerText(), /of 100,000 points drawn/);
    // Mouse moves across the whole chart, each of which shows a tooltip.
    const slowest = await page.locator(".u-over").evaluate(async (over) => {
      const { left, top, width } = over.getBoundingClientRect();
      let longest = 0;
      for (let k = 0; k < 40; k++) {
        const start = performance.now();
        over.dispatchEvent(new MouseEvent("mousemove", { clientX: left + (width * k) / 40, clientY: top + 40, bubbles: true }));
        await new Promise(requestAnimationFrame);
        longest = Math.max(longest, performance.now() - start);
      }
      return longest;
    });
    console.log(`# ${path}: ready after ${ready} ms, ${points} points, ${signals.length} signals, ${whole.patterns.violations.length} violations, slowest move ${Math.round(slowest)} ms`);
    assert.ok(slowest < 1000, `${slowest} ms`);
    await part(page, "chart-plot").focus();
    await page.keyboard.press("n");
    await until("a signal is named", async () => assert.match(await part(page, "chart-tooltip").innerText(), /nelson-\d: /));
    await close(page);
  }
});

test("the default window is fast with many records", async () => {
  const page = await open(browser, `${service.url}/live`);
  await chartWith(page, 500, TIMEOUT_MS);
  const begin = performance.now();
  await service.log_latencies([3]);
  await until("the last value", async () => assert.match(await part(page, "series-item").innerText(), /3\.000/), TIMEOUT_MS);
  const { analyses: [analysis] } = await service.get("/api/v1/analysis?series=1&limit=500&points=true");
  const last = analysis.points.at(-1).i;
  await until("its marker", async () => assert.ok((await chartWith(page, 500)).signals.includes(last)), TIMEOUT_MS);
  console.log(`# a value after ${N} others: on the chart after ${Math.round(performance.now() - begin)} ms`);
  await close(page);
});
