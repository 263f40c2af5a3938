import type { Patch } from "../router";
import type { Range } from "../chart/plot";
import { hasSubgroups, windowQuery } from "../metrics";

const MAX_POINTS = 3000;

/** Where limits come from: frozen if available, frozen, from these data, from each stage, or from phase I of these data. */
export type LimitSource = "default" | "frozen" | "data" | "stages" | "phase1";

export function limitSource(query: URLSearchParams): LimitSource {
  if (query.get("phase1")) return "phase1";
  if (query.get("stages")) return "stages";
  const limits = query.get("limits");
  return limits === "frozen" || limits === "data" ? limits : "default";
}

/** The API query for the address of the page. Without a series, the metric is `ttft_s` by default. */
export function selectionOf(query: URLSearchParams): Patch {
  const chart = query.get("chart");
  const same = ["series", "metric", "provider", "model", "session", "by", "chart", "rules", "limits", "transform", "phase1", "stages", "lsl", "usl", "target", "alpha", "verdict", "spikes", "from", "to"];
  return {
    ...(query.has("series") ? {} : { metric: "ttft_s" }),
    ...windowQuery(query.has("from") || query.has("to") ? "all" : (query.get("window") ?? "all")),
    ...Object.fromEntries(same.filter((name) => query.get(name)).map((name) => [name, query.get(name)])),
    subgroup: chart && hasSubgroups(chart) ? (query.get("subgroup") ?? "5") : null,
  };
}

export const withPoints = (selection: Patch): Patch => ({ ...selection, points: "true", max_points: MAX_POINTS });

/** The first and last point of phase I: `20..80`, or `100` for the first 100 points. null if the text is neither. */
export function phaseOneOf(text: string | null): Range | null {
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(text ?? "") ?? [];
  if (from !== undefined && to !== undefined) return [Number(from), Number(to) - 1];
  const first = /^\d+$/.exec(text ?? "")?.[0];
  return first === undefined ? null : [0, Number(first) - 1];
}

/** The range of the selected points as the API expects it: the end is exclusive. */
export const phaseOneText = ([first, last]: Range): string => `${first}..${last + 1}`;

/** The numbers of Nelson's rules, or null if a rule set was selected by name. */
export function chosenRules(rules: string | null): number[] | null {
  return rules !== null && /^[1-8](,[1-8])*$/.test(rules) ? rules.split(",").map(Number) : null;
}
