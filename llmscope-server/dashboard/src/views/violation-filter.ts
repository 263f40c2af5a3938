import type { Violation, ViolationPage } from "../api/types";
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

/** The violations that were loaded, the newest first, and where older ones go on; without that it is all of them. */
export interface Listed {
  items: Violation[];
  next?: string | number | undefined;
}

/** The list after a violation began or changed: only what is filtered for, and nothing beyond what was loaded. */
export function withChanged({ items, next }: Listed, changed: Violation, query: URLSearchParams): Listed {
  const others = items.filter(({ id }) => id !== changed.id);
  if (!matches(changed, query)) return { items: others, next };
  const place = others.findIndex(({ id }) => id < changed.id);
  if (place >= 0) return { items: [...others.slice(0, place), changed, ...others.slice(place)], next };
  return { items: next === undefined ? [...others, changed] : others, next };
}

/** The list after its newest were loaded anew: older ones that were loaded before stay. */
export function refreshed(before: Listed | null, { violations, next }: ViolationPage): Listed {
  const [oldest, end] = [violations.at(-1)?.id, before?.items.at(-1)?.id];
  // Where older ones go on is known from before, unless these reach further back.
  if (before === null || next === undefined || oldest === undefined || end === undefined || end > oldest) return { items: violations, next };
  return { items: [...violations, ...before.items.filter(({ id }) => id < oldest)], next: before.next };
}

/** The list with older ones at its end, each of them once. */
export function withOlder({ items }: Listed, { violations, next }: ViolationPage): Listed {
  const known = new Set(items.map(({ id }) => id));
  return { items: [...items, ...violations.filter(({ id }) => !known.has(id))], next };
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
