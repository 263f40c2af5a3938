import { describe, expect, it } from "vitest";
import type { Series } from "../src/api/types";
import { extended, sparkPoints } from "../src/sparkline";
import { changeOf, columnsOf, rowsOf, sizeOf } from "../src/views/endpoint-rows";

const series = (id: number, model: string, metric: string, more: Partial<Series> = {}): Series => ({
  id, provider: "p", model, metric, title: metric, unit: "s", state: "watching", n: 10, verdict: "in_control", open_violations: 0, ...more,
});
const incident = (ratio: number | undefined, part: "level" | "spread" = "level") => ({
  learning: false, values: 100, evidence_ratio: 0, false_alarms: 1000,
  incident: { id: 1, text: "…", direction: "worse" as const, part, opened_at: "2026-11-30T12:00:00Z", since: "2026-11-30T12:00:00Z", ratio },
});
const list = [
  series(1, "b", "tpot_s"), series(2, "b", "ttft_s"), series(3, "a", "e2e_s", { verdict: "out_of_control", alarm: incident(1.5) }),
  series(4, "c", "e2e_s", { verdict: "out_of_control", alarm: incident(0.4) }), series(5, "c", "x"),
];
const titles = (...how: [string, string, "state" | "name" | "change" | "recent"]) => rowsOf(list, ...how).map(({ title }) => title);

describe("the rows of the overview", () => {
  it("has a row for each endpoint and a column for each metric", () => {
    expect(columnsOf(list)).toEqual(["ttft_s", "e2e_s", "tpot_s", "x"]);
    expect(rowsOf(list, "", "", "name").map(({ series: of }) => of.length)).toEqual([1, 2, 2]);
  });

  it("sorts by state, by name and by the size of the change", () => {
    expect(titles("", "", "state")).toEqual(["p · a", "p · c", "p · b"]);
    expect(titles("", "", "name")).toEqual(["p · a", "p · b", "p · c"]);
    expect(titles("", "", "change")).toEqual(["p · c", "p · a", "p · b"]);
  });

  it("finds every word in the names, and states", () => {
    expect(titles("P token", "", "name")).toEqual(["p · b"]);
    expect(titles("c x", "", "name")).toEqual(["p · c"]);
    expect(titles("nothing", "", "name")).toEqual([]);
    expect(titles("", "out_of_control", "name")).toEqual(["p · a", "p · c"]);
  });

  it("says by how much a series changed", () => {
    const size = (ratio: number | undefined, part?: "spread") => sizeOf(series(1, "m", "e2e_s", { alarm: incident(ratio, part) }));
    expect([size(1.52), size(0.8), size(undefined, "spread"), size(undefined), sizeOf(list[0] as Series)]).toEqual(["+52\u00a0%", "\u221220\u00a0%", "more irregular", null, null]);
    expect(changeOf(series(1, "m", "e2e_s", { alarm: incident(0.5) }))).toBeCloseTo(changeOf(series(1, "m", "e2e_s", { alarm: incident(2) })));
  });
});

describe("sparklines", () => {
  it("fill their box, and equal values are in the middle", () => {
    expect(sparkPoints([1, 3, 2], 100, 20)).toBe("0.0,20.0 50.0,0.0 100.0,10.0");
    expect(sparkPoints([2, 2], 100, 20)).toBe("0.0,10.0 100.0,10.0");
  });

  it("are extended by live values, and bounded", () => {
    const known = new Map([[1, Array.from({ length: 60 }, (_, i) => i)]]);
    const next = extended(known, { count: 2, series: [{ id: 1, n: 61, last: { at: "", value: 99 }, signals: [] }, { id: 2, n: 1, last: { at: "", value: 5 }, signals: [] }] });
    expect(next.get(1)?.length).toBe(60);
    expect(next.get(1)?.at(-1)).toBe(99);
    expect(next.get(2)).toEqual([5]);
    expect(known.get(1)?.at(-1)).toBe(59);
  });
});
