// The live view: what is posted appears, is judged, and comes back after the service does.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { another, close, drawn, launch, open, part, rulesUnderCursor, until } from "./pages.mjs";
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
  /** The chart shows all values, and the markers of the service's own analysis. */
  const agrees = async () => {
    const { signals } = await drawn(page, values.length);
    const analysis = await service.points({ series: "1" });
    assert.equal(analysis.n, values.length);
    await until("the signals of the service are those of the chart", async () =>
      assert.deepEqual((await drawn(page, values.length)).signals, signalsOf(analysis)));
    return { analysis, signals };
  };

  before(async () => {
    service = await serve();
    // The browser tells the console of a killed service and of a series that is gone.
    page = await open(browser, `${service.url}/`, { expected: [/^console: Failed to load resource: net::ERR_(CONNECTION|INCOMPLETE_CHUNKED|EMPTY_RESPONSE)/, /^console: .*status of 404/] });
  });
  after(() => service.stop());

  test("without a measurement it says what to do", async () => {
    await live("live");
    assert.match(await part(page, "empty").innerText(), /No measurement has arrived yet[\s\S]*\/api\/v1\/records/);
    const { sample } = await service.get("/api/v1/machine");
    for (const [id, known] of [["cpu", sample.cpu_utilization], ["memory", sample.memory_used_bytes], ["cpu-temperature", sample.cpu_temperature_c], ["gpu", sample.gpus[0]]]) {
      const card = page.locator(`[data-testid^="telemetry-${id}"]`).first();
      await until(id, async () => assert.match(await card.innerText(), known === undefined ? /not available/ : /\d.(%|GiB|MiB|°C)/));
    }
  });

  test("the first values are learned from", async () => {
    await log(...quiet(20));
    await part(page, "learning").first().waitFor();
    await until("20 of 30", async () => assert.match(await part(page, "learning").first().innerText(), /20 of 30/));
    await drawn(page, 20);
    await log(...quiet(60).slice(20));
    await until("limits are frozen", async () => assert.match(await page.locator(".limits-bar").innerText(), /Limits frozen/));
    const { analysis } = await agrees();
    const [{ state, limits, frozen_at: frozen }] = await service.series();
    assert.equal(state, "watching");
    assert.ok(frozen);
    assert.equal(analysis.phase, 2, "the frozen limits are those of the chart");
    assert.ok(Math.abs(limits.upper - analysis.limits.upper) < 1e-12);
    assert.equal(await part(page, "verdict").getAttribute("data-verdict"), analysis.verdict);
  });

  test("a value that is posted appears", async () => {
    const delays = [];
    /** From before the request until the frame that shows so many values. */
    const posted = async (latency) => {
      const drawnAt = page.evaluate((n) => new Promise((resolve) => {
        const look = () => (document.querySelector(`[data-testid="chart"][data-n="${n}"]`) ? resolve(Date.now()) : requestAnimationFrame(look));
        look();
      }), values.length + 1);
      const begin = Date.now();
      await log(latency);
      await drawn(page, values.length, 5000);
      return (await drawnAt) - begin;
    };
    for (const latency of [0.301, 0.299, 0.302, 0.298, 0.3]) {
      const updated = await part(page, "last-updated").innerHTML();
      delays.push(await posted(latency));
      await until("the time of the update", async () => assert.notEqual(await part(page, "last-updated").innerHTML(), updated), 3000);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    // Two at once: the second has to wait until the chart may be drawn again.
    await posted(0.301);
    const soon = await posted(0.299);
    console.log(`# from POST to the chart: ${delays.join(", ")} ms; right after another: ${soon} ms`);
    assert.equal(await part(page, "stat-n").innerText(), String(values.length));
  });

  test("a spike is marked, and nothing else is", async () => {
    await log(1.2);
    const { analysis, signals } = await agrees();
    const spike = values.length - 1;
    assert.ok(signals.includes(spike));
    assert.ok(analysis.points[spike].rules.includes("nelson-1"));
    assert.equal(await part(page, "verdict").getAttribute("data-verdict"), "out_of_control");
    const row = part(page, "violation-row").filter({ hasText: "nelson-1" });
    assert.match(await row.innerText(), /1 point beyond 3σ/);
    await until("the list of series has it", async () => assert.equal(await part(page, "series-item").getAttribute("data-verdict"), "out_of_control"));
    await until("the header counts it", async () => assert.match(await part(page, "open-violations").innerText(), /^[1-9]/));
  });

  test("a shift of nine points is marked where it is one", async () => {
    const first = values.length;
    // The spike's neighbours on the same side would belong to the run.
    await log(0.285, ...Array.from({ length: 9 }, (_, k) => 0.318 + (k % 3) * 0.002));
    const { analysis } = await agrees();
    const ninth = first + 9;
    assert.equal(ninth, values.length - 1);
    assert.ok(analysis.points[ninth].rules.includes("nelson-2"));
    assert.ok(!analysis.points[ninth - 1].rules.includes("nelson-2"));
    assert.match(await part(page, "violations-table").innerText(), /nelson-2\s+9 points in a row on one side of center/);
  });

  test("keys lead along the signals and name their rules", async () => {
    const { analysis, signals } = await agrees();
    await part(page, "chart-plot").focus();
    for (const i of signals) {
      await page.keyboard.press("n");
      await part(page, "chart-tooltip").waitFor();
      const { rules } = analysis.points[i];
      const words = await part(page, "chart-tooltip").innerText();
      assert.match(words, new RegExp(`point ${i} `));
      for (const rule of rules) assert.match(words, new RegExp(`${rule}: .*(beyond|in a row)`));
      const said = await part(page, "chart-announcement").innerText();
      for (const rule of rules) assert.ok(said.includes(rule), "a screen reader hears it");
      // What is drawn there has the color of the first of the rules.
      assert.ok((await rulesUnderCursor(page)).includes(Number(rules[0].at(-1))), `${rules[0]} at point ${i}`);
    }
    // Where nothing signals, nothing is drawn, unless a signal is next to it.
    const calm = analysis.points.map(({ i }) => i).filter((i) => signals.every((other) => Math.abs(other - i) > 3)).slice(0, 12);
    await page.keyboard.press("Home");
    for (let i = 0; i <= calm.at(-1); i++) {
      if (calm.includes(i)) assert.deepEqual(await rulesUnderCursor(page), [], `point ${i}`);
      await page.keyboard.press("ArrowRight");
    }
    await page.keyboard.press("Escape");
    await part(page, "chart-tooltip").waitFor({ state: "detached" });
  });

  test("the mouse names them too", async () => {
    const { signals } = await agrees();
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

  test("a pause holds the chart still", async () => {
    await part(page, "pause-toggle").click();
    await live("paused");
    const before = values.length;
    await log(0.3);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(await part(page, "chart").getAttribute("data-n"), String(before));
    assert.match(await part(page, "last-updated").innerText(), /paused, as of/);
    await part(page, "pause-toggle").click();
    await live("live");
    await agrees();
  });

  test("a service that dies and comes back is found again", async () => {
    await service.kill();
    await live("reconnecting");
    assert.ok(await part(page, "chart").isVisible(), "what was known stays");
    await service.start();
    await live("live");
    await agrees();
    await log(0.301);
    await agrees();
  });

  test("limits can be taken from a window, and learned anew", async () => {
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
      assert.deepEqual((await drawn(page, values.length)).signals, signalsOf(analyses[0]));
    });
    await part(page, "limits-button").click();
    await part(page, "limits-anew").check();
    await part(page, "limits-submit").click();
    await part(page, "learning").first().waitFor();
    assert.equal((await service.series())[0].state, "learning");
  });

  test("an own window and specification limits are in the address", async () => {
    await part(page, "window-all").click();
    await part(page, "usl-input").fill("400ms");
    await part(page, "usl-input").press("Enter");
    await part(page, "stat-ppk").waitFor();
    assert.deepEqual(Object.fromEntries(new URL(page.url()).searchParams), { series: "1", window: "all", usl: "400ms" });
    const next = await another(page, page.url());
    await part(next, "stat-ppk").waitFor();
    const { performance: { ppk } } = await service.points({ series: "1", usl: "400ms" });
    assert.equal((await part(next, "stat-ppk").innerText()).replace("\u2212", "-"), ppk.toFixed(2));
    await part(next, "usl-input").fill("soon");
    await part(next, "usl-input").press("Enter");
    assert.match(await part(next, "error").innerText(), /usl/, "the service's own words");
    next.complaints.splice(0);
    await next.close();
  });

  test("a series can be removed", async () => {
    await service.log_latencies([0.4, 0.5], { provider: "ollama" });
    await page.goto(`${service.url}/`);
    await until("two series", async () => assert.equal(await part(page, "series-item").count(), 2));
    const other = (await service.series()).find(({ provider }) => provider === "ollama");
    await page.locator(`[data-testid="series-item"][data-series="${other.id}"]`).click();
    // One without a model is shown by itself.
    await until("its own values", async () => assert.equal(await part(page, "stat-n").innerText(), "2"));
    assert.match(await part(page, "chart-empty").innerText(), /once there are 10/);
    await part(page, "remove-button").click();
    assert.match(await part(page, "remove-dialog").innerText(), /ollama: end-to-end latency will be gone/);
    await part(page, "remove-confirm").click();
    await until("one series", async () => assert.equal(await part(page, "series-item").count(), 1));
    assert.deepEqual((await service.series()).map(({ id }) => id), [1]);
    await drawn(page, Math.min(values.length, 500));
  });

  test("one that somebody else removed is said to be gone", async () => {
    const other = { provider: "ollama" };
    await service.log_latencies(quiet(12), other);
    const { id } = (await service.series()).find(({ provider }) => provider === other.provider);
    await page.locator(`[data-testid="series-item"][data-series="${id}"]`).click();
    // With the two records of the series that was there before.
    await drawn(page, 14);
    await service.ask(`/api/v1/series/${id}`, { method: "DELETE" });
    await part(page, "window-all").click();
    await until("it says so", async () => assert.match(await part(page, "empty").innerText(), /There is no such series/));
    await page.getByRole("link", { name: "Show all series" }).click();
    await drawn(page, Math.min(values.length, 500));
  });

  test("nothing in the console, and no request left", () => close(page));
});
