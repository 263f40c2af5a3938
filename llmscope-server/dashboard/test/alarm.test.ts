import { describe, expect, test } from "vitest";
import type { SeriesAlarm } from "../src/api/types";
import { evidence } from "../src/parts/alarm";

const judged: SeriesAlarm = { learning: false, values: 400, evidence_ratio: 0.034, false_alarms: 370_000, smallest_visible: 1.0601 };

describe("the evidence of an alarm", () => {
  test("says what is known while nothing changed", () => {
    expect(evidence(judged)).toBe("No change: the evidence is 3 % of an alarm. A change below 7 % cannot be noticed. One false alarm in 370,000 values.");
    expect(evidence({ ...judged, evidence_ratio: 0.0001, false_alarms: 1000 })).toContain("less than 1 % of an alarm");
  });

  test("says why it is still learned", () => {
    expect(evidence({ ...judged, learning: true, values: 20 })).toBe("20 values so far.");
    expect(evidence({ ...judged, learning: true, values: 100, information: 5.2 })).toContain("the information of 5 independent ones, of which 25 are needed");
  });

  test("is the incident while one is open", () => {
    const incident = { id: 1, text: "e2e_s slower by 52 % since noon", direction: "worse" as const, part: "level" as const, opened_at: "2026-11-30T12:00:00Z", since: "2026-11-30T12:00:00Z" };
    expect(evidence({ ...judged, incident })).toBe("e2e_s slower by 52 % since noon.");
  });
});
