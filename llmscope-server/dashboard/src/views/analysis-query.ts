import type { Patch } from "../router";
import type { Range } from "../chart/plot";
import { hasSubgroups, windowQuery } from "../metrics";

const MOST_POINTS = 3000;

/** The limits of an analysis: frozen ones where there are some, those of these data, of each stage of them, or of a part. */
export type LimitSource = "usual" | "frozen" | "data" | "stages" | "phase1";

export function limitSource(query: URLSearchParams): LimitSource {
  if (query.get("phase1")) return "phase1";
  if (query.get("stages")) return "stages";
  const limits = query.get("limits");
  return limits === "frozen" || limits === "data" ? limits : "usual";
}

/** What the address of the page says; a series is of one metric unless another is named, as the service is asked for it. */
export function selectionOf(query: URLSearchParams): Patch {
  const chart = query.get("chart");
  const same = ["series", "metric", "provider", "model", "session", "by", "chart", "rules", "limits", "transform", "phase1", "stages", "lsl", "usl", "target", "from", "to"];
  return {
    ...(query.has("series") ? {} : { metric: "ttft_s" }),
    ...windowQuery(query.has("from") || query.has("to") ? "all" : (query.get("window") ?? "all")),
    ...Object.fromEntries(same.filter((name) => query.get(name)).map((name) => [name, query.get(name)])),
    subgroup: chart && hasSubgroups(chart) ? (query.get("subgroup") ?? "5") : null,
  };
}

export const withPoints = (selection: Patch): Patch => ({ ...selection, points: "true", max_points: MOST_POINTS });

/** `20..80` and `100` (the first 100) as the first and last point that are meant; null where it is neither. */
export function phaseOneOf(text: string | null): Range | null {
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(text ?? "") ?? [];
  if (from !== undefined && to !== undefined) return [Number(from), Number(to) - 1];
  const first = /^\d+$/.exec(text ?? "")?.[0];
  return first === undefined ? null : [0, Number(first) - 1];
}

/** The brushed points as the service writes a range: without its end. */
export const phaseOneText = ([first, last]: Range): string => `${first}..${last + 1}`;

/** Nelson's rules by number, or null if a set of rules was chosen by name. */
export function chosenRules(rules: string | null): number[] | null {
  return rules !== null && /^[1-8](,[1-8])*$/.test(rules) ? rules.split(",").map(Number) : null;
}
