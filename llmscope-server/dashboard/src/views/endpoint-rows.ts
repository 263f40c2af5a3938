// The rows of the overview: one for each provider and model, with its series.

import type { Series, Verdict } from "../api/types";
import { groupTitle, METRICS, metricTitle } from "../metrics";
import { change } from "../quantity";

export interface EndpointRow {
  title: string;
  series: Series[];
}

export type SortBy = "state" | "name" | "change" | "recent";

const URGENCY: Record<Verdict, number> = { out_of_control: 2, not_enough_data: 1, in_control: 0 };

/** The metrics of the columns, in the usual order. */
export function columnsOf(list: Series[]): string[] {
  const rank = (metric: string) => (METRICS.includes(metric) ? METRICS.indexOf(metric) : METRICS.length);
  return [...new Set(list.map(({ metric }) => metric))].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** The endpoints that match, in the order of the sort. A search matches if every word is in the names. */
export function rowsOf(list: Series[], search: string, state: string, sort: SortBy): EndpointRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = new Map<string, Series[]>();
  for (const series of list) {
    const title = groupTitle(series);
    rows.set(title, [...(rows.get(title) ?? []), series]);
  }
  const matches = ({ title, series }: EndpointRow) => {
    const names = `${title} ${series.map(({ metric }) => `${metric} ${metricTitle(metric)}`).join(" ")}`.toLowerCase();
    return words.every((word) => names.includes(word)) && (state === "" || series.some(({ verdict }) => verdict === state));
  };
  return [...rows].map(([title, series]) => ({ title, series })).filter(matches).sort(byTitle).sort(ORDERS[sort]);
}

const byTitle = (a: EndpointRow, b: EndpointRow) => a.title.localeCompare(b.title);

const ORDERS: Record<SortBy, (a: EndpointRow, b: EndpointRow) => number> = {
  name: byTitle,
  state: descending(({ series }) => Math.max(...series.map(({ verdict }) => URGENCY[verdict]))),
  change: descending(({ series }) => Math.max(...series.map(changeOf))),
  recent: descending(({ series }) => Math.max(...series.map(({ last }) => (last ? Date.parse(last.at) : 0)))),
};

function descending(of: (row: EndpointRow) => number): (a: EndpointRow, b: EndpointRow) => number {
  return (a, b) => of(b) - of(a);
}

/** The size of the open change: that of half and of twice the level are equal. */
export function changeOf({ alarm }: Series): number {
  const ratio = alarm?.incident?.ratio;
  return ratio === undefined || ratio <= 0 ? 0 : Math.abs(Math.log(ratio));
}

/** `+52 %`, `more irregular`, or nothing if the incident says nothing of the size. */
export function sizeOf({ alarm }: Series): string | null {
  const incident = alarm?.incident;
  if (!incident) return null;
  if (incident.part === "spread") return "more irregular";
  if (incident.ratio === undefined) return null;
  return change(Math.round(100 * (incident.ratio - 1)) / 100, 0);
}
