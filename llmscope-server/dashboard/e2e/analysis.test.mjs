// The analysis view: its address holds its state, it draws what the service returns, and it saves files.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { close, chartWith, launch, open, part, until } from "./pages.mjs";
import { quiet, serve, signalsOf } from "./service.mjs";

let browser, service;
const N = 240;
before(async () => {
  [browser, service] = await Promise.all([launch(), serve()]);
  const values = [...quiet(150), ...quiet(N - 150, { center: 0.33, seed: 11 })];
  values[60] = 0.9;
  await service.records(values);
  await service.records(quiet(N, { center: 0.5, seed: 5 }), { of: { provider: "ollama", model: "=gemma3:4b, \"q4\"" } });
  await service.records(quiet(40, { center: 0.2, seed: 3 }), { of: { provider: "ollama" } });
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const at = (query) => `${service.url}/analysis?${new URLSearchParams(query)}`;
const queryOf = (page) => Object.fromEntries(new URL(page.url()).searchParams);

/** Asserts that the chart has the points and signals of the service's analysis. */
async function matchesService(page, query) {
  const analysis = await service.points(query);
  const expected = { points: analysis.points.length, signals: signalsOf(analysis) };
  await until("the chart matches the service", async () => assert.deepEqual(await chartWith(page, analysis.n), expected));
  assert.equal(await part(page, "verdict").getAttribute("data-verdict"), analysis.patterns.verdict);
  return analysis;
}

async function download(page, kind) {
  const saved = page.waitForEvent("download");
  await part(page, `download-${kind}`).click();
  const file = await saved;
  return { name: file.suggestedFilename(), content: readFileSync(await file.path()) };
}

describe("the address", () => {
  test("opens the first series by default", async () => {
    const page = await open(browser, `${service.url}/analysis`);
    const [{ id, metric, provider, model = "" }] = await service.series();
    await matchesService(page, { series: String(id) });
    assert.deepEqual(queryOf(page), { series: String(id), metric });
    assert.deepEqual([await part(page, "provider-select").inputValue(), await part(page, "model-select").inputValue()], [provider, model]);
    await close(page);
  });

  test("restores the whole view", async () => {
    const query = { series: "1", metric: "e2e_s", chart: "ewma", rules: "nelson", limits: "data", usl: "400ms", lsl: "100ms" };
    const page = await open(browser, at({ ...query, x: "time", y: "limits" }));
    const analysis = await matchesService(page, query);
    assert.equal(analysis.chart, "ewma");
    const fields = { "chart-select": "ewma", "limits-select": "data", "usl-input": "400ms", "lsl-input": "100ms", "metric-select": "e2e_s" };
    for (const [field, value] of Object.entries(fields)) assert.equal(await part(page, field).inputValue(), value, field);
    for (const choice of ["along-time", "fit-limits"]) assert.equal(await part(page, choice).getAttribute("aria-pressed"), "true", choice);
    assert.equal(await part(page, "stat-ppk").innerText(), analysis.performance.ppk.toFixed(2));
    await part(page, "histogram").waitFor();
    assert.equal(await part(page, "histogram").getAttribute("data-n"), String(N));
    const before = await chartWith(page, N);
    await page.reload();
    assert.deepEqual(await chartWith(page, N), before);
    await close(page);
  });

  test("says which points give the limits, and how often the rules are wrong", async () => {
    const page = await open(browser, at({ series: "1", metric: "e2e_s", limits: "data" }));
    const { basis, patterns } = await matchesService(page, { series: "1", limits: "data" });
    assert.ok(basis.first > 140 && basis.last === N - 1, JSON.stringify(basis));
    assert.equal(await part(page, "stat-basis").innerText(), `points ${basis.first} to ${basis.last}`);
    const { points } = patterns.false_alarm;
    assert.match(await part(page, "verdict").innerText(), new RegExp(`signal in .+ % of stable series of ${points} such points`));
    await page.goto(at({ series: "1", metric: "e2e_s", phase1: "30" }));
    await matchesService(page, { series: "1", phase1: "30" });
    assert.equal(await part(page, "stat-basis").count(), 0);
    await close(page);
  });

  test("follows the form and the back button", async () => {
    const page = await open(browser, at({ series: "1", metric: "e2e_s" }));
    await matchesService(page, { series: "1" });
    for (const chart of ["ewma", "cusum", "moving-average", "xbar-r", "xbar-s"]) {
      await part(page, "chart-select").selectOption(chart);
      const analysis = await matchesService(page, { series: "1", chart, ...(chart.startsWith("xbar") && { subgroup: "5" }) });
      assert.equal(analysis.chart, chart);
      assert.equal(queryOf(page).chart, chart);
    }
    await part(page, "subgroup-input").fill("8");
    await part(page, "subgroup-input").press("Enter");
    await matchesService(page, { series: "1", chart: "xbar-s", subgroup: "8" });
    await part(page, "chart-select").selectOption("p");
    await matchesService(page, { series: "1", chart: "p", metric: "error_rate", subgroup: "8" });
    await page.goBack();
    await matchesService(page, { series: "1", chart: "xbar-s", subgroup: "8" });
    await close(page);
  });

  test("limits of single measurements use the selected transform", async () => {
    const page = await open(browser, at({ series: "1", metric: "e2e_s" }));
    await matchesService(page, { series: "1" });
    assert.equal(await part(page, "stat-transform").count(), 0);
    await part(page, "transform-select").selectOption("log");
    const { limits, sigma, phase } = await matchesService(page, { series: "1", transform: "log" });
    assert.deepEqual([limits.transform, phase, queryOf(page).transform], [{ lambda: 0 }, 1, "log"]);
    await until("the transform is shown", async () => assert.equal(await part(page, "stat-transform").innerText(), "logarithm"));
    assert.equal(await part(page, "stat-sigma-within").innerText(), sigma.within.toPrecision(4));
    assert.match(await part(page, "stat-ucl").innerText(), /ms$/);
    await part(page, "chart-select").selectOption("ewma");
    await matchesService(page, { series: "1", chart: "ewma" });
    assert.deepEqual([queryOf(page).transform, await part(page, "transform-select").count()], [undefined, 0]);
    await close(page);
  });

  test("each stage of the level has its own limits", async () => {
    const page = await open(browser, at({ series: "1", metric: "e2e_s", phase1: "30" }));
    await matchesService(page, { series: "1", phase1: "30" });
    await part(page, "limits-select").selectOption("stages");
    const { stages, phase } = await matchesService(page, { series: "1", stages: "auto" });
    assert.deepEqual([phase, stages[0].first, queryOf(page).phase1], [1, 0, undefined]);
    await until("the number of stages is shown", async () => assert.equal(await part(page, "stat-stages").innerText(), String(stages.length)));
    await part(page, "limits-select").selectOption("data");
    await matchesService(page, { series: "1", limits: "data" });
    assert.deepEqual([queryOf(page).stages, await part(page, "stat-stages").count()], [undefined, 0]);
    await close(page);
  });

  test("rules are selected by set and individually", async () => {
    const page = await open(browser, at({ series: "1", metric: "e2e_s" }));
    await part(page, "rules-select").selectOption("western-electric");
    await matchesService(page, { series: "1", rules: "western-electric" });
    await part(page, "rules-select").selectOption("list");
    for (const rule of [2, 3, 4, 5, 6, 7, 8]) await part(page, `rule-${rule}`).uncheck();
    assert.equal(queryOf(page).rules, "1");
    const { patterns: { violations } } = await matchesService(page, { series: "1", rules: "1" });
    assert.deepEqual([...new Set(violations.map(({ rule }) => rule))], ["nelson-1"]);
    await close(page);
  });

  test("groups are separate, and records without a model are their own group", async () => {
    const page = await open(browser, at({ metric: "e2e_s", provider: "ollama" }));
    await until("two groups", async () => assert.equal(await part(page, "group").count(), 2));
    const { analyses } = await service.get("/api/v1/analysis?metric=e2e_s&provider=ollama&points=true");
    for (const [k, { n, group, points }] of analyses.entries()) {
      await page.locator(`[data-testid="group"][data-analysis="${k}"]`).click();
      assert.deepEqual((await chartWith(page, n)).signals, signalsOf({ points }));
      await page.locator(`[data-testid="histogram"][data-n="${n}"]`).waitFor();
      const { content } = await download(page, "csv");
      const rows = content.toString().trim().split("\r\n");
      assert.equal(rows.length, n + 1, `the points of ${group.model ?? "no model"} alone`);
    }
    await close(page);
  });
});

test("the answers come first, in the order of the service", async () => {
  const query = { metric: "e2e_s", provider: "openai" };
  const page = await open(browser, at(query));
  const { analyses: [analysis], ...report } = await service.get(`/api/v1/analysis?${new URLSearchParams({ ...query, limit: "1000000" })}`);
  await chartWith(page, analysis.n);
  assert.equal(await part(page, "headline").innerText(), report.headline);
  assert.match(await part(page, "answer").innerText(), /^Changed\s+openai · gpt-4o: end-to-end latency\s+slower by /);
  assert.ok((await part(page, "answer").innerText()).endsWith(analysis.answer.text));
  const changes = analysis.answer.changes.filter((change) => change.part === "level").map(({ since }) => since.index);
  assert.deepEqual(JSON.parse(await part(page, "chart").getAttribute("data-changes")), changes);
  assert.ok(Math.abs(changes[0] - 150) < 5, `${changes}`);
  await page.goto(at({ metric: "e2e_s" }));
  const all = await service.get("/api/v1/analysis?metric=e2e_s&limit=1000000");
  await until("all answers", async () => assert.equal(await part(page, "answer").count(), 3));
  const shown = await part(page, "answer").evaluateAll((items) => items.map((item) => Number(item.dataset.analysis)));
  assert.deepEqual(shown, all.answers.map((answer) => answer.analysis));
  await close(page);
});

test("dragging selects phase I, and phase I can be reset", async () => {
  const page = await open(browser, at({ series: "1", metric: "e2e_s" }));
  const whole = await matchesService(page, { series: "1" });
  await part(page, "drag-phase1").click();
  const drag = async (from, to) => {
    await part(page, "chart-plot").scrollIntoViewIfNeeded();
    const box = await page.locator(".u-over").boundingBox();
    await page.mouse.move(box.x + box.width * from, box.y + 120);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * to, box.y + 130, { steps: 6 });
    await page.mouse.up();
  };
  await drag(0.3, 0.6);
  await part(page, "phase1-reset").waitFor();
  const { phase1 } = queryOf(page);
  const [from, to] = phase1.split("..").map(Number);
  assert.ok(Math.abs(from - 0.3 * N) < 6 && Math.abs(to - 0.6 * N) < 6, phase1);
  const analysis = await matchesService(page, { series: "1", phase1 });
  assert.equal(analysis.phase, 2);
  assert.notDeepEqual(analysis.limits, whole.limits);
  assert.equal(await part(page, "stat-phase").innerText(), "II");
  await part(page, "phase1-input").fill("30");
  await part(page, "phase1-input").press("Enter");
  await matchesService(page, { series: "1", phase1: "30" });
  await part(page, "phase1-reset").click();
  await matchesService(page, { series: "1" });
  // By default, dragging zooms, which changes no number.
  const pixels = () => page.locator("[data-testid=chart-plot] canvas").evaluate((canvas) => canvas.toDataURL());
  await page.mouse.move(2, 2);
  const before = await pixels();
  for (const back of [
    () => part(page, "zoom-reset").click(),
    () => page.locator(".u-over").dblclick({ position: { x: 200, y: 100 } }),
  ]) {
    await drag(0.2, 0.4);
    await part(page, "zoom-reset").waitFor();
    await page.mouse.move(2, 2);
    assert.notEqual(await pixels(), before);
    await back();
    await part(page, "zoom-reset").waitFor({ state: "detached" });
    await page.mouse.move(2, 2);
    await until("the whole chart", async () => assert.equal(await pixels(), before));
  }
  assert.equal(queryOf(page).phase1, undefined);
  // A row of the table zooms to its points.
  await part(page, "violation-show").last().click();
  await part(page, "zoom-reset").waitFor();
  await close(page);
});

describe("downloads", () => {
  const selection = { series: "1", metric: "e2e_s", usl: "400ms" };
  const query = () => new URLSearchParams({ ...selection, limit: "1000000" });
  let page, analysis;
  before(async () => {
    page = await open(browser, at(selection));
    analysis = await matchesService(page, selection);
  });

  test("CSV has every point of the service", async () => {
    const { name, content } = await download(page, "csv");
    assert.equal(name, "openai-gpt-4o-e2e_s.csv");
    const rows = content.toString().trim().split("\r\n").map((row) => row.split(","));
    const expected = analysis.points.map(({ i, t, x, rules, member_of: members }) => ["gpt-4o", "openai", "e2e_s", "s", String(i), t, String(x), rules.join(" "), members.join(" ")]);
    assert.deepEqual(rows, [["model", "provider", "metric", "unit", "i", "t", "x", "rules", "member_of"], ...expected]);
    assert.equal(expected.length, N);
  });

  test("CSV contains no spreadsheet formulas", async () => {
    const other = await open(browser, at({ series: "2" }));
    await chartWith(other, N);
    const { name, content } = await download(other, "csv");
    assert.match(content.toString().split("\r\n")[1], /^"'=gemma3:4b, ""q4""",ollama,/);
    assert.match(name, /^ollama-[\w.-]+-e2e_s\.csv$/);
    await close(other);
  });

  test("JSON is the service's report", async () => {
    const { content } = await download(page, "json");
    const saved = JSON.parse(content);
    const { generated_at: _, ...report } = await service.get(`/api/v1/analysis?${query()}&points=true`);
    delete saved.generated_at;
    assert.deepEqual(saved, report);
  });

  test("SVG and PNG are the images of the service", async () => {
    const svg = (await download(page, "svg")).content;
    assert.equal(svg.toString(), await (await service.request(`/api/v1/chart.svg?${query()}`)).text());
    const [, width, height] = /<svg[^>]* width="(\d+)" height="(\d+)"/.exec(svg.toString());
    const { name, content } = await download(page, "png");
    assert.equal(name, "openai-gpt-4o-e2e_s.png");
    assert.deepEqual([...content.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
    const size = [content.readUInt32BE(16), content.readUInt32BE(20)];
    console.log(`# SVG ${width} × ${height}, PNG ${size.join(" × ")}`);
    assert.ok(size[0] >= Number(width) && Math.abs(size[0] / size[1] - width / height) < 0.01, `${size}`);
    assert.ok(content.equals(Buffer.from(await (await service.request(`/api/v1/chart.png?${query()}`)).arrayBuffer())));
  });

  test("the console is empty", () => close(page));
});

test("an error shows the message of the service", async () => {
  const page = await open(browser, at({ series: "1", usl: "soon" }), { expected: [/status of 422/] });
  const text = await part(page, "error").innerText();
  const response = await fetch(`${service.url}/api/v1/analysis?series=1&usl=soon`);
  assert.equal(response.status, 422);
  assert.ok(text.includes((await response.json()).detail[0].msg), text);
  await part(page, "usl-input").fill("500ms");
  await part(page, "usl-input").press("Enter");
  await chartWith(page, N);
  await close(page);
});
