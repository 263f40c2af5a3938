import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Series } from "../src/api/types";

// The key module reads browser storage when it is loaded, and this test has no browser.
beforeAll(() => {
  vi.stubGlobal("sessionStorage", { getItem: () => null });
  vi.stubGlobal("localStorage", { getItem: () => null });
});

const learning: Series = {
  id: 1, provider: "p", metric: "ttft_s", title: "time to first token", unit: "s", state: "learning", n: 43, learned: 43, need: 100, verdict: "not_enough_data", open_violations: 0,
};

describe("series", () => {
  it("are updated by new records, and learn from them until they have enough", async () => {
    const { advanced } = await import("../src/state/series");
    const last = { at: "2026-01-01T00:00:00Z", value: 0.3 };
    const arrived = (n: number) => ({ count: 1, series: [{ id: 1, n, last, signals: [] }] });
    expect(advanced([learning], arrived(45))[0]).toMatchObject({ n: 45, learned: 45, last });
    expect(advanced([learning], arrived(500))[0]?.learned).toBe(100);
    expect(advanced([{ ...learning, id: 2 }], arrived(45))[0]?.n).toBe(43);
  });

  it("keep the values of events that a slower answer does not have", async () => {
    const { newest } = await import("../src/state/series");
    const [earlier, later] = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"].map((at, k) => ({ ...learning, n: 43 + k, last: { at, value: 0.3 + k } }));
    expect(newest([later!], [earlier!])[0]).toMatchObject({ n: 44, last: later!.last });
    expect(newest([earlier!], [later!])).toEqual([later]);
    expect(newest([later!], [learning])).toEqual([learning]);
    expect(newest([later!], [])).toEqual([]);
  });

  it("are replaced by their new version, or added", async () => {
    const { replaced } = await import("../src/state/series");
    expect(replaced([learning], { ...learning, state: "watching" }).map(({ state }) => state)).toEqual(["watching"]);
    expect(replaced([learning], { ...learning, id: 2 })).toHaveLength(2);
  });
});
