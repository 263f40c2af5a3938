import type { Series } from "../api/types";
import { groupTitle, metricTitle } from "../metrics";
import { patched, urlOf } from "../router";
import { count, quantity } from "../quantity";
import { VerdictBadge } from "../parts/verdict";

interface Props {
  list: Series[];
  chosen: number | null;
  query: URLSearchParams;
}

/** All series, by provider and model. */
export function SeriesList({ list, chosen, query }: Props) {
  const groups = new Map<string, Series[]>();
  for (const series of list) {
    const title = groupTitle(series);
    groups.set(title, [...(groups.get(title) ?? []), series]);
  }
  return (
    <nav class="series-list" aria-label="Series" data-testid="series-list">
      {[...groups].map(([title, members]) => (
        <section key={title} aria-label={title}>
          <h2>{title}</h2>
          <ul>{members.map((series) => <Item key={series.id} {...{ series, chosen, query }} />)}</ul>
        </section>
      ))}
    </nav>
  );
}

function Item({ series, chosen, query }: { series: Series } & Omit<Props, "list">) {
  const { id, metric, unit, last, n, open_violations: open } = series;
  const to = urlOf("/live", patched(query, { series: id, at: null }));
  return (
    <li>
      <a href={to} aria-current={id === chosen ? "true" : undefined} data-testid="series-item" data-series={id} data-verdict={series.verdict}>
        <span class="item-name">{metricTitle(metric)}</span>
        <span class="item-value">{last ? quantity(unit, last.value) : "–"}</span>
        <span class="item-state"><VerdictBadge verdict={series.verdict} /></span>
        <span class="item-open quiet">{open > 0 ? <b class="open">{count(open)} open<span class="sr-only"> violations</span></b> : `n ${count(n)}`}</span>
        {series.state === "learning" && <Learning series={series} />}
      </a>
    </li>
  );
}

export function Learning({ series: { learned = 0, need = 0 } }: { series: Series }) {
  return (
    <span class="learning" data-testid="learning">
      <span class="quiet">learning limits: {count(learned)} of {count(need)}</span>
      <progress max={need} value={learned} aria-label="Values from which limits are learned" />
    </span>
  );
}
