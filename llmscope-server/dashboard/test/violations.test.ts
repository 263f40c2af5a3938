import { describe, expect, it } from "vitest";
import type { Violation } from "../src/api/types";
import { chartPlace, matches, refreshed, withChanged, withOlder, type ViolationList } from "../src/views/violation-filter";

const violation = (over: Partial<Violation> = {}): Violation => ({
  id: 5, series: { id: 3, provider: "openai", model: "gpt-4o", metric: "e2e_s", unit: "s" }, rule: "nelson-2", words: "…", side: "above",
  first_at: "2026-01-01T10:00:00Z", signal_at: "2026-01-01T10:05:00Z", last_at: "2026-01-01T14:00:00Z", signals: 4, open: true, value: 0.3, status: "new", ...over,
});
const query = (text: string) => new URLSearchParams(text);
const some = (...ids: number[]) => ids.map((id) => violation({ id }));
const ids = ({ items, next }: ViolationList) => [...items.map(({ id }) => id), next];

describe("violations", () => {
  it.each([
    ["", true], ["status=new,acknowledged", true], ["status=resolved", false], ["open=true", true], ["open=false", false],
    ["rule=nelson-2&series=3", true], ["rule=nelson-1", false], ["series=33", false],
  ])("filtered by “%s”: %s", (text, expected) => expect(matches(violation(), query(text))).toBe(expected));

  it("are added newest first, change in place, and are removed when they no longer match", () => {
    const list = { items: some(9, 5, 2) };
    expect(ids(withChanged(list, violation({ id: 10 }), query("")))).toEqual([10, 9, 5, 2, undefined]);
    expect(ids(withChanged(list, violation({ id: 5, status: "resolved" }), query("")))).toEqual([9, 5, 2, undefined]);
    expect(ids(withChanged(list, violation({ id: 5, status: "resolved" }), query("status=new")))).toEqual([9, 2, undefined]);
    expect(ids(withChanged(list, violation({ id: 1 }), query("")))).toEqual([9, 5, 2, 1, undefined]);
    // A violation that is not loaded yet arrives with its page.
    expect(ids(withChanged({ ...list, next: 2 }, violation({ id: 1 }), query("")))).toEqual([9, 5, 2, 2]);
  });

  it("that are loaded stay when the newest are reloaded", () => {
    const before = { items: some(9, 8, 7, 6, 5), next: 5 };
    expect(ids(refreshed(before, { violations: some(11, 10, 9), next: 9 }))).toEqual([11, 10, 9, 8, 7, 6, 5, 5]);
    expect(ids(refreshed(before, { violations: some(9, 8, 7, 6, 5), next: 5 }))).toEqual([9, 8, 7, 6, 5, 5]);
    expect(ids(refreshed({ items: some(9, 8) }, { violations: some(10, 9, 8), next: 8 }))).toEqual([10, 9, 8, undefined]);
    expect(ids(refreshed({ items: some(9), next: 9 }, { violations: some(9, 8), next: 8 }))).toEqual([9, 8, 8]);
    expect(ids(refreshed(before, { violations: some(9, 7) }))).toEqual([9, 7, undefined]);
    expect(ids(refreshed(before, { violations: [] }))).toEqual([undefined]);
    expect(ids(refreshed(null, { violations: some(9), next: 9 }))).toEqual([9, 9]);
    expect(ids(withOlder(before, { violations: some(5, 4, 3), next: 3 }))).toEqual([9, 8, 7, 6, 5, 4, 3, 3]);
    expect(ids(withOlder(before, { violations: some(4) }))).toEqual([9, 8, 7, 6, 5, 4, undefined]);
  });

  it("are shown on the chart with the time around them", () => {
    expect(chartPlace(violation())).toMatchObject({ series: 3, metric: "e2e_s", from: "2026-01-01T08:00:00.000Z", to: "2026-01-01T16:00:00.000Z", at: "2026-01-01T10:05:00Z" });
  });
});
