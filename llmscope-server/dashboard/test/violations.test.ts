import { describe, expect, it } from "vitest";
import type { Violation } from "../src/api/types";
import { chartPlace, matches, withChanged } from "../src/views/violation-filter";

const violation = (over: Partial<Violation> = {}): Violation => ({
  id: 5, series: { id: 3, provider: "openai", model: "gpt-4o", metric: "e2e_s", unit: "s" }, rule: "nelson-2", words: "…", side: "above",
  first_at: "2026-01-01T10:00:00Z", signal_at: "2026-01-01T10:05:00Z", last_at: "2026-01-01T14:00:00Z", signals: 4, open: true, value: 0.3, status: "new", ...over,
});
const query = (text: string) => new URLSearchParams(text);
const ids = (list: Violation[]) => list.map(({ id }) => id);

describe("violations", () => {
  it.each([
    ["", true], ["status=new,acknowledged", true], ["status=resolved", false], ["open=true", true], ["open=false", false],
    ["rule=nelson-2&series=3", true], ["rule=nelson-1", false], ["series=33", false],
  ])("filtered by “%s”: %s", (text, expected) => expect(matches(violation(), query(text))).toBe(expected));

  it("come in newest first, change in place, and leave when they no longer match", () => {
    const list = [violation({ id: 9 }), violation({ id: 5 }), violation({ id: 2 })];
    expect(ids(withChanged(list, violation({ id: 10 }), query("")))).toEqual([10, 9, 5, 2]);
    expect(ids(withChanged(list, violation({ id: 5, status: "resolved" }), query("")))).toEqual([9, 5, 2]);
    expect(ids(withChanged(list, violation({ id: 5, status: "resolved" }), query("status=new")))).toEqual([9, 2]);
    expect(ids(withChanged(list, violation({ id: 1 }), query("")))).toEqual([9, 5, 2, 1]);
  });

  it("are shown on the chart with what was around them", () => {
    expect(chartPlace(violation())).toMatchObject({ series: 3, metric: "e2e_s", from: "2026-01-01T08:00:00.000Z", to: "2026-01-01T16:00:00.000Z", at: "2026-01-01T10:05:00Z" });
  });
});
