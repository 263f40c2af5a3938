import type { Analysis } from "../api/types";

/** The points of analyses as CSV (RFC 4180). */
export function pointsAsCsv(analyses: Analysis[]): string {
  const keys = [...new Set(analyses.flatMap(({ group }) => Object.keys(group)))].sort();
  const head = [...keys, "metric", "unit", "i", "t", "x", "rules", "member_of"];
  const rows = analyses.flatMap(({ group, metric, unit, points }) =>
    (points ?? []).map(({ i, t, x, rules, member_of: members }) =>
      [...keys.map((key) => group[key] ?? ""), metric, unit, String(i), t ?? "", String(x), rules.join(" "), members.join(" ")]));
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Escapes a cell. Spreadsheets run cells that look like formulas, and names of providers and models are untrusted. */
function cell(text: string): string {
  const safe = /^[=+@\t\r]|^-(?![\d.])/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
