import type { Violation } from "../api/types";
import type { Patch } from "../router";

export const STATUSES = ["new", "acknowledged", "resolved"] as const;

/** What the address of the page filters by, as the service is asked for it. */
export function filterOf(query: URLSearchParams): Patch {
  return Object.fromEntries(["status", "open", "rule", "series"].map((name) => [name, query.get(name)]));
}

export function matches(violation: Violation, query: URLSearchParams): boolean {
  const [status, open, rule, series] = ["status", "open", "rule", "series"].map((name) => query.get(name));
  if (status && !status.split(",").includes(violation.status)) return false;
  if (open && String(violation.open) !== open) return false;
  if (rule && violation.rule !== rule) return false;
  return !series || String(violation.series.id) === series;
}

/** The list after a violation began or changed: the newest first, and only what is filtered for. */
export function withChanged(list: Violation[], changed: Violation, query: URLSearchParams): Violation[] {
  const others = list.filter(({ id }) => id !== changed.id);
  if (!matches(changed, query)) return others;
  const place = others.findIndex(({ id }) => id < changed.id);
  return place < 0 ? [...others, changed] : [...others.slice(0, place), changed, ...others.slice(place)];
}

const HALF_HOUR = 30 * 60_000;

/** The violation on the chart, with what came before and after it. */
export function chartPlace({ series, first_at: first, signal_at: signal, last_at: last }: Violation): Patch {
  const [from, to] = [Date.parse(first), Date.parse(last)];
  const around = Math.max(HALF_HOUR, (to - from) / 2);
  return {
    series: series.id, metric: series.metric,
    from: new Date(from - around).toISOString(), to: new Date(to + around).toISOString(), at: signal,
  };
}
