import { describe, expect, it } from "vitest";
import type { Analysis, Change } from "../src/api/types";
import { at, isBeyond, modelOf, nearest, signalling } from "../src/chart/model";
import { plottedSigma, zoneEdge } from "../src/chart/zones";
import { announcementOf, pointLabels, sizeLabel, summary } from "../src/chart/labels";
import { ruleNumber, ruleDescription } from "../src/rules";
import { pointsAsCsv } from "../src/views/points-csv";

const point = (i: number, x: number, rules: string[] = []) => ({ i, t: new Date(1e12 + i * 1000).toISOString(), x, rules, member_of: rules });
const analysis = (over: Partial<Analysis> = {}): Analysis => ({
  group: { model: "m", provider: "=p" }, metric: "ttft_s", unit: "s", n: 1000, excluded: { failed: 0, warmup: 0, missing: 0 }, chart: "individuals", phase: 2,
  limits: { lower: 0.2, center: 0.3, upper: 0.4, sigma: 0.1 / 3 }, patterns: { rules: ["nelson-1", "nelson-2"], violations: [], verdict: "out_of_control" },
  verdict: "stable", answer: { adjusted_for: [], events: [], text: "no change" }, warnings: [],
  points: [point(0, 0.3), point(400, 0.31), point(999, 9.5, ["nelson-1", "nelson-2"])], ...over,
});

describe("a chart", () => {
  it("uses the unit of its limits, independent of outliers", () => {
    expect(modelOf(analysis())?.scale).toEqual({ factor: 1000, symbol: "ms" });
  });

  it("counts all points, including those that are not drawn", () => {
    const model = modelOf(analysis());
    expect([model?.n, model?.x.length]).toEqual([1000, 3]);
  });

  it("has no model without points", () => expect(modelOf(analysis({ points: [] }))).toBeNull());

  it("has no times if any point has none", () => {
    const { t: _, ...timeless } = point(1, 0.3);
    expect(modelOf(analysis({ points: [point(0, 0.3), timeless] }))?.t).toBeNull();
  });

  it("reads varying limits by the position in the analysis, or in the columns", () => {
    expect([at(7, 1, 900), at([1, 2, 3], 1, 2), at([1, 2, 3], 1, 900)]).toEqual([7, 3, 2]);
  });

  it("finds the nearest point", () => {
    expect([-5, 4, 6, 14, 99].map((value) => nearest([0, 10, 12, 20], value))).toEqual([0, 0, 1, 2, 3]);
  });

  it("marks the sum of a CUSUM chart that is beyond its limit", () => {
    const sums = modelOf(analysis({ chart: "cusum", points: [{ ...point(0, 0), lower: -2, rules: ["nelson-1"] }], limits: { lower: -1, center: 0, upper: 1, sigma: 1 / 3 } }));
    expect(sums && [signalling(sums, 0), isBeyond(sums, 0)]).toEqual([-2, true]);
  });

  it("has a text for screen readers", () => {
    const whole = analysis();
    const model = modelOf(whole);
    if (!model) throw new Error("no chart");
    expect(announcementOf(pointLabels(model, 2))).toMatch(/^9500\u00a0ms\. point 999 .*above the upper control limit\. nelson-1: 1 point beyond 3σ\. nelson-2: 9 points in a row/);
    expect(summary(whole, model)).toContain("1,000 points, center line 300.0\u00a0ms, control limits 200.0\u00a0ms to 400.0\u00a0ms. 1 point signals.");
  });
});

describe("a change of the level", () => {
  const change = (over: Partial<Change> = {}): Change =>
    ({ part: "level", direction: "worse", since: { index: 400, interval: [398, 401] }, ratio: 1.885, before: 0.2, after: 0.38, p: 1e-9, p_call: 1e-8, ...over });
  const changed = (changes: Change[], over: Partial<Analysis> = {}) => analysis({ answer: { adjusted_for: [], events: [], text: "", changes }, ...over });

  it("is drawn where each point is a measurement", () => {
    const both = [change(), change({ part: "spread" })];
    expect(modelOf(changed(both))?.changes).toEqual([change()]);
    expect(modelOf(changed(both, { chart: "xbar-r" }))?.changes).toEqual([]);
  });

  it("has its size as a percentage, or as a difference", () => {
    const whole = changed([change()]);
    const model = modelOf(whole);
    if (!model) throw new Error("no chart");
    const { ratio: _, ...rest } = change({ difference: -0.02 });
    expect([change(), change({ ratio: 0.9 }), rest].map((one) => sizeLabel(model, one))).toEqual(["+88.5\u00a0%", "\u221210.0\u00a0%", "\u221220.00\u00a0ms"]);
    expect(summary(whole, model)).toContain("The level changes at point 400: +88.5\u00a0%.");
  });
});

describe("zones", () => {
  it("are one sigma wide on the scale of the transformation", () => {
    expect([1, -3].map((multiple) => zoneEdge({ center: 0.3, sigma: 0.1 }, multiple))).toEqual([0.4, 0.3 - 3 * 0.1]);
    const log = { center: 0.3, sigma: Math.log(2), transform: { lambda: 0 } };
    expect([1, 2, -1, -2].map((multiple) => zoneEdge(log, multiple))).toEqual([0.6, 1.2, 0.15, 0.075].map((edge) => expect.closeTo(edge, 12)));
    // The root of 4 is 2. One sigma above is 3, at the value 9; three sigmas below is negative, which no root can be.
    const root = { center: 4, sigma: 1, transform: { lambda: 0.5 } };
    expect([1, -1, -3].map((multiple) => zoneEdge(root, multiple))).toEqual([9, 1, 0].map((edge) => expect.closeTo(edge, 12)));
    expect(plottedSigma(log)).toBeCloseTo(0.3, 12);
  });

  it("have the resolution of the plotted values", () => {
    const limits = { lower: 0.1, center: 0.3, upper: 0.9, sigma: Math.log(3) / 3, transform: { lambda: 0 } };
    expect(modelOf(analysis({ limits }))?.resolution).toBeCloseTo((0.3 * 3 ** (1 / 3) - 0.3) / 10, 12);
  });
});

describe("rules", () => {
  it("have numbers and descriptions", () => {
    expect(["nelson-2", "western-electric-4", "westgard-r-4s", "westgard-2-2s"].map(ruleNumber)).toEqual(["2", "4", "R-4s", "2-2s"]);
    expect([ruleDescription("aiag-2"), ruleDescription("nelson-1", "cusum"), ruleDescription("own-1")]).toEqual(["7 points in a row on one side of center", "sum beyond the decision interval", "own-1"]);
  });
});

describe("CSV", () => {
  it("quotes cells where necessary and contains no formulas", () => {
    const [head, first] = pointsAsCsv([analysis({ group: { model: 'a,"b"', provider: "=p" } })]).split("\r\n");
    expect(head).toBe("model,provider,metric,unit,i,t,x,rules,member_of");
    expect(first).toBe(`"a,""b""",'=p,ttft_s,s,0,2001-09-09T01:46:40.000Z,0.3,,`);
  });
});
