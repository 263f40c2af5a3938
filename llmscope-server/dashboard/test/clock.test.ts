import { expect, test } from "vitest";
import { pointTimes } from "../src/clock";

const at = (day: number, hour: number) => new Date(2026, 10, day, hour, 5, 7);

test("the times of points show the date if it differs", () => {
  expect(pointTimes([at(1, 2), null, at(1, 3)])).toEqual(["02:05:07", "", "03:05:07"]);
  expect(pointTimes([at(1, 2), at(9, 2)])).toEqual(["11-01 02:05", "11-09 02:05"]);
  expect(pointTimes([new Date(2024, 0, 2), at(9, 2)])).toEqual(["2024-01-02", "2026-11-09"]);
  expect(pointTimes([])).toEqual([]);
});
