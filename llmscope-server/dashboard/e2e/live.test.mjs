// The live view: posted values appear and are judged, and the page reconnects after the service restarts.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openAnother, close, chartWith, launch, open, part, rulesUnderCursor, until } from "./pages.mjs";
import { quiet, serve, signalsOf } from "./service.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

describe("a series as it arrives", () => {
  let service, page;
  const values = [];
  const log = async (...latencies) => {
    await service.log_latencies(latencies);
    values.push(...latencies);
  };
  const live = (state) => page.locator(`[data-testid="connection"][data-state="${state}"]`).waitFor({ timeout: 30_000 });
  /** Asserts that the chart shows all values, with the signals of the service's analysis. */
  const matchesService = async () => {
    const { signals } = await chartWith(page, values.length);
    const analysis = await service.points({ series: "1" });
    assert.equal(analysis.n, values.length);
    await until("the chart has the signals of the service", async () =>
      assert.deepEqual((await chartWith(page, values.length)).signals, signalsOf(analysis)));
    return { analysis, signals };
  };

  before(async () => {
    service = await serve();
    // The browser logs a killed service and a removed series to the console.
    page = await open(browser, `${service.url}/live`, { expected: [/^console: Failed to load resource: net::ERR_(CONNECTION|INCOMPLETE_CHUNKED|EMPTY_RESPONSE)/, /^console: .*status of 404/] });
  });
  after(() => service.stop());

  test("without measurements, it explains how to start", async () => {
    await live("live");
    assert.match(await part(page, "empty").innerText(), /There are no measurements yet[\s\S]*\/api\/v1\/records/);
    const { sample } = await service.get("/api/v1/machine");
    for (const [id, known] of [["cpu", sample.cpu_utilization], ["memory", sample.memory_used_bytes], ["cpu-temperature", sample.cpu_temperature_c], ["gpu", sample.gpus[0]]]) {
      const card = page.locator(`[data-testid^="telemetry-${id}"]`).first();
      await until(id, async () => assert.match(await card.innerText(), known === undefined ? /not available/ : /\d.(%|GiB|MiB|°C)/));
    }
  });

  test("limits are learned from the first values", async () => {
    await log(...quiet(20));
    await part(page, "learning").first().waitFor();
    await until("20 of 30", async () => assert.match(await part(page, "learning").first().innerText(), /20 of 30/));
    await chartWith(page, 20);
    await log(...quiet(60).slice(20));
    await until("limits are frozen", async () => assert.match(await page.locator(".limits-bar").innerText(), /Limits frozen/));
    const { analysis } = await matchesService();
    const [{ state, limits, frozen_at: frozen }] = await service.series();
    assert.equal(state, "watching");
    assert.ok(frozen);
    assert.equal(analysis.phase, 2, "the chart uses the frozen limits");
    assert.ok(Math.abs(limits.upper - analysis.limits.upper) < 1e-12);
    assert.equal(await part(page, "verdict").getAttribute("data-verdict"), analysis.patterns.verdict);
  });

  test("a posted value appears", async () => {
    const delays = [];
    /** Milliseconds from the request to the frame that shows its value. */
    const posted = async (latency) => {
      const drawnAt = page.evaluate((n) => new Promise((resolve) => {
        const check = () => (document.querySelector(`[data-testid="chart"][data-n="${n}"]`) ? resolve(Date.now()) : requestAnimationFrame(check));
        check();
      }), values.length + 1);
      const begin = Date.now();
      await log(latency);
      await chartWith(page, values.length, 5000);
      return (await drawnAt) - begin;
    };
    for (const latency of [0.301, 0.299, 0.302, 0.298, 0.3]) {
      const updated = await part(page, "last-updated").innerHTML();
      delays.push(await posted(latency));
      await until("the time of the update", async () => assert.notEqual(await part(page, "last-updated").innerHTML(), updated), 3000);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    // Two values in a row: the second waits until the chart may be drawn again.
    await posted(0.301);
    const soon = await posted(0.299);
    console.log(`# from POST to the chart: ${delays.join(", ")} ms; right after another: ${soon} ms`);
    assert.equal(await part(page, "stat-n").innerText(), String(values.length));
  });

  test("a spike is marked", async () => {
    await log(1.2);
    const { analysis, signals } = await matchesService();
    const spike = values.length - 1;
    assert.ok(signals.includes(spike));
    assert.ok(analysis.points[spike].rules.includes("nelson-1"));
    assert.equal(await part(page, "verdict").getAttribute("data-verdict"), "out_of_control");
    const row = part(page, "violation-row").filter({ hasText: "nelson-1" });
    assert.match(await row.innerText(), /1 point beyond 3σ/);
    await until("the list of series shows it", async () => assert.equal(await part(page, "series-item").getAttribute("data-verdict"), "out_of_control"));
    await until("the header counts it", async () => assert.match(await part(page, "open-violations").innerText(), /^[1-9]/));
  });

  test("a shift is marked at its ninth point", async () => {
    const first = values.length;
    // A point on the other side separates the run from the spike.
    await log(0.285, ...Array.from({ length: 9 }, (_, k) => 0.318 + (k % 3) * 0.002));
    const { analysis } = await matchesService();
    const ninth = first + 9;
    assert.equal(ninth, values.length - 1);
    assert.ok(analysis.points[ninth].rules.includes("nelson-2"));
    assert.ok(!analysis.points[ninth - 1].rules.includes("nelson-2"));
    assert.match(await part(page, "violations-table").innerText(), /nelson-2\s+9 points in a row on one side of center/);
  });

  test("keys move between signals and show their rules", async () => {
    const { analysis, signals } = await matchesService();
    await part(page, "chart-plot").focus();
    for (const i of signals) {
      await page.keyboard.press("n");
      await part(page, "chart-tooltip").waitFor();
      const { rules } = analysis.points[i];
      const words = await part(page, "chart-tooltip").innerText();
      assert.match(words, new RegExp(`point ${i} `));
      for (const rule of rules) assert.match(words, new RegExp(`${rule}: .*(beyond|in a row)`));
      const announced = await part(page, "chart-announcement").innerText();
      for (const rule of rules) assert.ok(announced.includes(rule), "a screen reader announces it");
      // The marker has the color of the first rule.
      assert.ok((await rulesUnderCursor(page)).includes(Number(rules[0].at(-1))), `${rules[0]} at point ${i}`);
    }
    // Points without a signal have no marker. Points next to a signal are skipped, because its marker may overlap them.
    const calm = analysis.points.map(({ i }) => i).filter((i) => signals.every((other) => Math.abs(other - i) > 3)).slice(0, 12);
    await page.keyboard.press("Home");
    for (let i = 0; i <= calm.at(-1); i++) {
      if (calm.includes(i)) assert.deepEqual(await rulesUnderCursor(page), [], `point ${i}`);
      await page.keyboard.press("ArrowRight");
    }
    await page.keyboard.press("Escape");
    await part(page, "chart-tooltip").waitFor({ state: "detached" });
  });

  test("the mouse shows them, too", async () => {
    const { signals } = await matchesService();
    await part(page, "chart-plot").focus();
    await page.keyboard.press("p");
    await part(page, "chart-tooltip").waitFor();
    const words = await part(page, "chart-tooltip").innerText();
    assert.match(words, new RegExp(`point ${signals.at(-1)} `));
    const dot = await page.locator(".u-cursor-pt").boundingBox();
    await part(page, "chart-plot").blur();
    await part(page, "chart-tooltip").waitFor({ state: "detached" });
    await page.mouse.move(dot.x + dot.width / 2, dot.y + dot.height / 2);
    await part(page, "chart-tooltip").waitFor();
    assert.equal(await part(page, "chart-tooltip").innerText(), words);
    await page.mouse.move(2, 2);
  });

  test("a paused chart does not change", async () => {
    await part(page, "pause-toggle").click();
    await live("paused");
    const before = values.length;
    await log(0.3);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(await part(page, "chart").getAttribute("data-n"), String(before));
    assert.match(await part(page, "last-updated").innerText(), /paused, as of/);
    await part(page, "pause-toggle").click();
    await live("live");
    await matchesService();
  });

  test("the page reconnects to a restarted service", async () => {
    await service.kill();
    await live("reconnecting");
    assert.ok(await part(page, "chart").isVisible(), "the chart stays visible");
    await service.start();
    await live("live");
    await matchesService();
    await log(0.301);
    await matchesService();
  });

  test("limits can be frozen from a window, and learned again", async () => {
    const [before] = await service.series();
    await part(page, "limits-button").click();
    await part(page, "limits-window").check();
    await part(page, "limits-submit").click();
    await part(page, "limits-dialog").waitFor({ state: "detached" });
    const [frozen] = await service.series();
    assert.notEqual(frozen.frozen_at, before.frozen_at);
    await until("the chart has the new limits", async () => {
      const { analyses } = await service.get("/api/v1/analysis?series=1&points=true&limit=1000000");
      assert.equal(analyses[0].phase, 2);
      assert.deepEqual((await chartWith(page, values.length)).signals, signalsOf(analyses[0]));
    });
    await part(page, "limits-button").click();
    await part(page, "limits-relearn").check();
    await part(page, "limits-submit").click();
    await part(page, "learning").first().waitFor();
    assert.equal((await service.series())[0].state, "learning");
  });

  test("the address holds the window and specification limits", async () => {
    await part(page, "window-all").click();
    await part(page, "usl-input").fill("400ms");
    await part(page, "usl-input").press("Enter");
    await part(page, "stat-ppk").waitFor();
    assert.deepEqual(Object.fromEntries(new URL(page.url()).searchParams), { series: "1", window: "all", usl: "400ms" });
    const next = await openAnother(page, page.url());
    await part(next, "stat-ppk").waitFor();
    const { performance: { ppk } } = await service.points({ series: "1", usl: "400ms" });
    assert.equal((await part(next, "stat-ppk").innerText()).replace("\u2212", "-"), ppk.toFixed(2));
    await part(next, "usl-input").fill("soon");
    await part(next, "usl-input").press("Enter");
    assert.match(await part(next, "error").innerText(), /usl/, "the message of the service");
    next.complaints.splice(0);
    await next.close();
  });

  test("a series can be removed", async () => {
    await service.log_latencies([0.4, 0.5], { provider: "ollama" });
    await page.goto(`${service.url}/live`);
    await until("two series", async () => assert.equal(await part(page, "series-item").count(), 2));
    const other = (await service.series()).find(({ provider }) => provider === "ollama");
    await page.locator(`[data-testid="series-item"][data-series="${other.id}"]`).click();
    // The chart of a series without a model contains no other series.
    await until("only its values", async () => assert.equal(await part(page, "stat-n").innerText(), "2"));
    assert.match(await part(page, "chart-empty").innerText(), /once there are 10 points/);
    await part(page, "remove-button").click();
    assert.match(await part(page, "remove-dialog").innerText(), /ollama: end-to-end latency will be removed/);
    await part(page, "remove-confirm").click();
    await until("one series", async () => assert.equal(await part(page, "series-item").count(), 1));
    assert.deepEqual((await service.series()).map(({ id }) => id), [1]);
    await chartWith(page, Math.min(values.length, 500));
  });

  test("the page reports a series that was removed elsewhere", async () => {
    const other = { provider: "ollama" };
    await service.log_latencies(quiet(12), other);
    const { id } = (await service.series()).find(({ provider }) => provider === other.provider);
    await page.locator(`[data-testid="series-item"][data-series="${id}"]`).click();
    // Including the two records of the removed series.
    await chartWith(page, 14);
    await service.request(`/api/v1/series/${id}`, { method: "DELETE" });
    await part(page, "window-all").click();
    await until("the page reports it", async () => assert.match(await part(page, "empty").innerText(), /This series does not exist/));
    await page.getByRole("link", { name: "Show all series" }).click();
    await chartWith(page, Math.min(values.length, 500));
  });

  test("the console is empty, and no request left the origin", () => close(page));
});
