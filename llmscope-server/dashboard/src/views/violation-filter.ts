import type { Violation, ViolationPage } from "../api/types";
import type { Patch } from "../router";

export const STATUSES = ["new", "acknowledged", "resolved"] as const;

/** The filter of the address, as parameters of the API query. */
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

/** The loaded violations, newest first. `next` is the cursor of the next page; without it, all violations are loaded. */
export interface ViolationList {
  items: Violation[];
  next?: string | number | undefined;
}

/** The list after a violation began or changed, without violations that do not match the filter or are not loaded yet. */
export function withChanged({ items, next }: ViolationList, changed: Violation, query: URLSearchParams): ViolationList {
  const others = items.filter(({ id }) => id !== changed.id);
  if (!matches(changed, query)) return { items: others, next };
  const place = others.findIndex(({ id }) => id < changed.id);
  if (place >= 0) return { items: [...others.slice(0, place), changed, ...others.slice(place)], next };
  return { items: next === undefined ? [...others, changed] : others, next };
}

/** The list after its newest violations were reloaded. Older violations that were loaded before stay. */
export function refreshed(before: ViolationList | null, { violations, next }: ViolationPage): ViolationList {
  const [oldest, end] = [violations.at(-1)?.id, before?.items.at(-1)?.id];
  // The cursor of the previous list stays valid unless the new page goes further back.
  if (before === null || next === undefined || oldest === undefined || end === undefined || end > oldest) return { items: violations, next };
  return { items: [...violations, ...before.items.filter(({ id }) => id < oldest)], next: before.next };
}

/** The list with a page of older violations at its end, without duplicates. */
export function withOlder({ items }: ViolationList, { violations, next }: ViolationPage): ViolationList {
  const known = new Set(items.map(({ id }) => id));
  return { items: [...items, ...violations.filter(({ id }) => !known.has(id))], next };
}

const HALF_HOUR = 30 * 60_000;

/** The query that shows the violation on its chart, with the time before and after it. */
export function chartPlace({ series, first_at: first, signal_at: signal, last_at: last }: Violation): Patch {
  const [from, to] = [Date.parse(first), Date.parse(last)];
  const around = Math.max(HALF_HOUR, (to - from) / 2);
  return {
    series: series.id, metric: series.metric,
    from: new Date(from - around).toISOString(), to: new Date(to + around).toISOString(), at: signal,
  };
}
