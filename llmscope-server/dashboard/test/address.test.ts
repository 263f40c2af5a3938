import { describe, expect, it } from "vitest";
import type { Analysis, Series } from "../src/api/types";
import { windowQuery, withWholeHours } from "../src/metrics";
import { patched, urlOf } from "../src/router";
import { chosenRules, limitSource, phaseOneOf, phaseOneText, selectionOf } from "../src/views/analysis-query";
import { groupQuery } from "../src/views/group-query";

const query = (text: string) => new URLSearchParams(text);

describe("the address", () => {
  it("keeps unchanged parameters and drops empty ones", () => {
    expect(urlOf("/", patched(query("series=3&window=1h&usl=800ms"), { window: null, usl: "", lsl: "1 ms" }))).toBe("/?series=3&lsl=1+ms");
    expect(urlOf("/", {})).toBe("/");
  });

  it("does not change the given query", () => {
    const before = query("a=1");
    patched(before, { a: 2 });
    expect(before.toString()).toBe("a=1");
  });

  it("selects windows by time, by number, or all records", () => {
    const limit = 1_000_000;
    expect(["15m", "7d", "500", "all", "nonsense"].map(windowQuery)).toEqual([{ hours: 0.25, limit }, { hours: 168, limit }, { limit: "500" }, { limit }, { limit }]);
  });

  it("sends fractions of an hour as a start time", () => {
    const now = Date.parse("2026-01-01T10:00:00Z");
    expect(withWholeHours({ hours: 0.25, metric: "e2e_s" }, now)).toEqual({ metric: "e2e_s", from: "2026-01-01T09:45:00.000Z" });
    expect(withWholeHours({ hours: 6 }, now)).toEqual({ hours: 6 });
  });
});

describe("an analysis", () => {
  it("is requested as the address says", () => {
    expect(selectionOf(query("metric=e2e_s&model=a%2Fb%26c&window=6h&chart=xbar-r&usl=2s&x=time"))).toEqual({
      metric: "e2e_s", model: "a/b&c", hours: 6, chart: "xbar-r", subgroup: "5", usl: "2s", limit: 1_000_000,
    });
    expect(selectionOf(query("chart=ewma&subgroup=5"))).toEqual({ metric: "ttft_s", chart: "ewma", subgroup: null, limit: 1_000_000 });
    expect(selectionOf(query("series=3"))).toEqual({ series: "3", subgroup: null, limit: 1_000_000 });
  });

  it("reads phase I like the service, with an exclusive end", () => {
    expect([phaseOneOf("20..80"), phaseOneOf("100"), phaseOneOf("x"), phaseOneOf(null)]).toEqual([[20, 79], [0, 99], null, null]);
    expect(phaseOneText([20, 79])).toBe("20..80");
  });

  it("reads the source of limits and the selected rules", () => {
    expect(["", "limits=data", "limits=frozen", "stages=auto", "phase1=30&limits=data"].map((text) => limitSource(query(text)))).toEqual(["default", "data", "frozen", "stages", "phase1"]);
    expect([chosenRules("1,2,5"), chosenRules("nelson"), chosenRules("9"), chosenRules(null)]).toEqual([[1, 2, 5], null, null, null]);
  });
});

describe("a group", () => {
  const list = [{ id: 3, provider: "p", model: "m" }, { id: 4, provider: "p" }] as Series[];
  const analysis = (group: Record<string, string>) => ({ group, metric: "e2e_s" }) as unknown as Analysis;

  it("is requested by name, and by its series if it has no model", () => {
    expect(groupQuery({ metric: "e2e_s" }, analysis({ provider: "p", model: "m" }), list)).toEqual({ metric: "e2e_s", provider: "p", model: "m" });
    expect(groupQuery({ metric: "e2e_s" }, analysis({ provider: "p" }), list)).toEqual({ metric: "e2e_s", provider: "p", series: 4 });
    expect(groupQuery({ session: "1" }, analysis({ provider: "p" }), list)).toEqual({ session: "1", metric: "e2e_s", provider: "p" });
  });
});
