import { describe, expect, it } from "vitest";
import type { Analysis, Series } from "../src/api/types";
import { windowQuery, withWholeHours } from "../src/metrics";
import { patched, urlOf } from "../src/router";
import { chosenRules, limitSource, phaseOneOf, phaseOneText, selectionOf } from "../src/views/analysis-query";
import { groupQuery } from "../src/views/group-query";

const query = (text: string) => new URLSearchParams(text);

describe("the address", () => {
  it("keeps what is not changed and drops what is empty", () => {
    expect(urlOf("/", patched(query("series=3&window=1h&usl=800ms"), { window: null, usl: "", lsl: "1 ms" }))).toBe("/?series=3&lsl=1+ms");
    expect(urlOf("/", {})).toBe("/");
  });

  it("leaves the query that it was given alone", () => {
    const before = query("a=1");
    patched(before, { a: 2 });
    expect(before.toString()).toBe("a=1");
  });

  it("names windows by time, by number, or not at all", () => {
    const limit = 1_000_000;
    expect(["15m", "7d", "500", "all", "nonsense"].map(windowQuery)).toEqual([{ hours: 0.25, limit }, { hours: 168, limit }, { limit: "500" }, { limit }, { limit }]);
  });

  it("asks for parts of an hour by the time when they began", () => {
    const now = Date.parse("2026-01-01T10:00:00Z");
    expect(withWholeHours({ hours: 0.25, metric: "e2e_s" }, now)).toEqual({ metric: "e2e_s", from: "2026-01-01T09:45:00.000Z" });
    expect(withWholeHours({ hours: 6 }, now)).toEqual({ hours: 6 });
  });
});

describe("an analysis", () => {
  it("is asked for as the address says", () => {
    expect(selectionOf(query("metric=e2e_s&model=a%2Fb%26c&window=6h&chart=xbar-r&usl=2s&x=time"))).toEqual({
      metric: "e2e_s", model: "a/b&c", hours: 6, chart: "xbar-r", subgroup: "5", usl: "2s", limit: 1_000_000,
    });
    expect(selectionOf(query("chart=ewma&subgroup=5"))).toEqual({ metric: "ttft_s", chart: "ewma", subgroup: null, limit: 1_000_000 });
    expect(selectionOf(query("series=3"))).toEqual({ series: "3", subgroup: null, limit: 1_000_000 });
  });

  it("reads phase I as the service does: without its end", () => {
    expect([phaseOneOf("20..80"), phaseOneOf("100"), phaseOneOf("x"), phaseOneOf(null)]).toEqual([[20, 79], [0, 99], null, null]);
    expect(phaseOneText([20, 79])).toBe("20..80");
  });

  it("knows where limits come from and which rules were chosen", () => {
    expect(["", "limits=data", "limits=frozen", "stages=auto", "phase1=30&limits=data"].map((text) => limitSource(query(text)))).toEqual(["usual", "data", "frozen", "stages", "phase1"]);
    expect([chosenRules("1,2,5"), chosenRules("nelson"), chosenRules("9"), chosenRules(null)]).toEqual([[1, 2, 5], null, null, null]);
  });
});

describe("a group", () => {
  const list = [{ id: 3, provider: "p", model: "m" }, { id: 4, provider: "p" }] as Series[];
  const analysis = (group: Record<string, string>) => ({ group, metric: "e2e_s" }) as unknown as Analysis;

  it("is asked for by name, and by its series where it has no model", () => {
    expect(groupQuery({ metric: "e2e_s" }, analysis({ provider: "p", model: "m" }), list)).toEqual({ metric: "e2e_s", provider: "p", model: "m" });
    expect(groupQuery({ metric: "e2e_s" }, analysis({ provider: "p" }), list)).toEqual({ metric: "e2e_s", provider: "p", series: 4 });
    expect(groupQuery({ session: "1" }, analysis({ provider: "p" }), list)).toEqual({ session: "1", metric: "e2e_s", provider: "p" });
  });
});
