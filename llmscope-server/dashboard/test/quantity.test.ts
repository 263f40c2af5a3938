import { describe, expect, it } from "vitest";
import { bytes, change, counted, inScale, number, percent, quantity, scaleOf } from "../src/quantity";

describe("number", () => {
  it.each([
    [0.123456, "0.1235"], [1234.56, "1235"], [0, "0"], [1.5e-9, "1.5e-9"], [-0.25, "\u22120.2500"], [12_345_678, "1.235e7"],
  ])("%d is %s", (value, text) => expect(number(value)).toBe(text));

  it("has enough digits to distinguish values", () => {
    expect(number(73.98805, 0.001)).toBe("73.988");
    expect(number(73.98805)).toBe("73.99");
  });
});

describe("quantity", () => {
  it.each([
    ["s", 0.2331, "233.1\u00a0ms"], ["s", 1.5, "1.500\u00a0s"], ["s", 0.000012, "12.00\u00a0µs"], ["s/token", 0.0042, "4.200\u00a0ms/token"],
    ["1/s", 84.25, "84.25\u00a01/s"], ["1", 0.02, "0.02000"], ["ms", 12, "12.00\u00a0ms"], ["s", 0, "0\u00a0s"],
  ] as const)("in %s, %d is %s", (unit, value, text) => expect(quantity(unit, value)).toBe(text));

  it("uses one unit for all values of a scale", () => {
    const scale = scaleOf("s", 0.3);
    expect([0.0004, 2.5].map((value) => inScale(scale, value))).toEqual(["0.4000\u00a0ms", "2500\u00a0ms"]);
  });
});

describe("other numbers", () => {
  it("are formatted as counts and percentages", () => {
    expect(percent(0.0312)).toBe("3.1\u00a0%");
    expect(change(0.126)).toBe("+12.6\u00a0%");
    expect(change(-0.05)).toBe("\u22125.0\u00a0%");
    expect([counted(1, "point"), counted(1200, "point")]).toEqual(["1 point", "1,200 points"]);
    expect([bytes(512), bytes(25_276_502_016)]).toEqual(["512\u00a0B", "23.5\u00a0GiB"]);
  });
});
