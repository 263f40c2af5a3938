// Formats numbers by the same rules as the reports of the command line.

import type { Unit } from "./api/types";

export interface Scale {
  factor: number;
  symbol: string;
}

const SYMBOLS: Record<Unit, string> = { s: "s", "s/token": "s/token", "1/s": "1/s", USD: "USD", "1": "", ms: "ms" };
const DIGITS = 4;
const MAX_DECIMALS = 9;
const SPACE = "\u00a0";

/** The display unit for a value of this magnitude. All values of one table or axis share it. */
export function scaleOf(unit: Unit, magnitude: number): Scale {
  const size = Math.abs(magnitude);
  if (unit === "s" || unit === "s/token") {
    const per = unit === "s" ? "" : "/token";
    if (size === 0 || size >= 1) return { factor: 1, symbol: `s${per}` };
    return size >= 1e-3 ? { factor: 1e3, symbol: `ms${per}` } : { factor: 1e6, symbol: `µs${per}` };
  }
  return { factor: 1, symbol: SYMBOLS[unit] ?? unit };
}

/** At least four significant digits, and enough digits to distinguish values that differ by `resolution`. */
export function number(value: number, resolution = 0): string {
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  if (magnitude < -4 || magnitude >= 7) return minus(value.toExponential(3).replace(/\.?0*e\+?/, "e"));
  const resolving = resolution > 0 ? Math.ceil(-Math.log10(resolution)) : 0;
  const decimals = Math.min(Math.max(DIGITS - 1 - magnitude, resolving, 0), MAX_DECIMALS);
  return minus(value.toFixed(decimals));
}

/** A value in its display unit: `233.1 ms`. */
export function quantity(unit: Unit, value: number, resolution = 0): string {
  return inScale(scaleOf(unit, value), value, resolution);
}

export function inScale({ factor, symbol }: Scale, value: number, resolution = 0): string {
  const text = number(value * factor, resolution * factor);
  return symbol === "" ? text : text + SPACE + symbol;
}

/** An index such as Cpk: two decimals. */
export const index = (value: number): string => minus(value.toFixed(2));

/** A share as a percentage: `12.3 %`. */
export function percent(share: number, decimals = 1): string {
  return minus((share * 100).toFixed(decimals)) + SPACE + "%";
}

/** A change as a percentage with its sign: `+12.3 %`. */
export const change = (share: number, decimals = 1): string => (share > 0 ? "+" : "") + percent(share, decimals);

export const count = (value: number): string => value.toLocaleString("en-US");

/** `3 points`, `1 point`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function bytes(value: number): string {
  const steps = ["B", "KiB", "MiB", "GiB", "TiB"];
  let step = 0;
  while (value >= 1024 && step < steps.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${step === 0 ? value : value.toFixed(value < 10 ? 2 : 1)}${SPACE}${steps[step]}`;
}

const minus = (text: string): string => text.replace(/^-/, "\u2212");
