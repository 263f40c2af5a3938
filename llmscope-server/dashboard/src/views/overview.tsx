import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Series, Verdict } from "../api/types";
import { Select, TextField } from "../parts/fields";
import { Empty, Failure, Skeleton } from "../parts/feedback";
import { Telemetry } from "../parts/telemetry";
import { Time } from "../parts/time";
import { VerdictBadge } from "../parts/verdict";
import { metricTitle, type Option } from "../metrics";
import { count, counted, quantity } from "../quantity";
import { navigate, urlOf, useQuery } from "../router";
import { useSeries } from "../state/series";
import { sparkPoints, type Sparklines } from "../sparkline";
import { useSparklines } from "../state/sparklines";
import { columnsOf, type EndpointRow, rowsOf, sizeOf, type SortBy } from "./endpoint-rows";
import { FirstSteps } from "./first-steps";
import { OpenIncidents } from "./open-incidents";

const SORTS: Option[] = [["state", "state"], ["name", "name"], ["change", "size of the change"], ["recent", "last request"]];
const STATES: Option[] = [["", "any"], ["out_of_control", "out of control"], ["in_control", "in control"], ["not_enough_data", "not enough data"]];

/** All endpoints with their metrics, and what is wrong with them. */
export function Overview() {
  const { list, error, reload } = useSeries();
  const [query, change] = useQuery();
  // Addresses of the former first page name a series.
  const wanted = query.get("series");
  useEffect(() => {
    if (wanted !== null) navigate(urlOf("/live", query), true);
  }, [wanted]);
  if (list === null) return <Page>{error ? <Failure error={error} retry={reload} what="The series could not be loaded." /> : <Skeleton kind="table" what="series" />}</Page>;
  if (list.length === 0) return <Page><FirstSteps /><Telemetry /></Page>;
  const sort = (SORTS.some(([code]) => code === query.get("sort")) ? query.get("sort") : "state") as SortBy;
  const rows = rowsOf(list, query.get("q") ?? "", query.get("state") ?? "", sort);
  return (
    <Page>
      <OpenIncidents list={list} />
      <form class="form-row" role="search" aria-label="Endpoints" onSubmit={(event) => event.preventDefault()}>
        <TextField label="Search" value={query.get("q") ?? ""} placeholder="provider, model, metric" onCommit={(q) => change({ q })} testId="overview-search" />
        <Select label="State" value={query.get("state") ?? ""} options={STATES} onPick={(state) => change({ state })} testId="overview-state" />
        <Select label="Sort by" value={sort} options={SORTS} onPick={(code) => change({ sort: code === "state" ? null : code })} testId="overview-sort" />
        <p class="quiet" role="status" data-testid="overview-count">{counted(rows.length, "endpoint")}, {counted(rows.reduce((sum, { series }) => sum + series.length, 0), "series", "series")}</p>
      </form>
      {rows.length === 0 ? <Empty title="No endpoint matches."><p><a href="/">Show all endpoints</a></p></Empty> : <Endpoints rows={rows} columns={columnsOf(list)} />}
    </Page>
  );
}

const Page = ({ children }: { children: ComponentChildren }) => <main id="main" class="overview"><h1>Overview</h1>{children}</main>;

function Endpoints({ rows, columns }: { rows: EndpointRow[]; columns: string[] }) {
  const lines = useSparklines();
  return (
    <div class="panel scroll" tabIndex={0} role="region" aria-label="Endpoints, scrollable">
      <table class="endpoints cards" data-testid="endpoints">
        <caption class="sr-only">Endpoints and their metrics</caption>
        <thead><tr><th scope="col">Endpoint</th>{columns.map((metric) => <th key={metric} scope="col">{metricTitle(metric)}</th>)}</tr></thead>
        <tbody>{rows.map((row) => <Row key={row.title} {...{ row, columns, lines }} />)}</tbody>
      </table>
    </div>
  );
}

function Row({ row, columns, lines }: { row: EndpointRow; columns: string[]; lines: Sparklines }) {
  return (
    <tr data-testid="endpoint">
      <th scope="row">{row.title}</th>
      {columns.map((metric) => {
        const series = row.series.find((one) => one.metric === metric);
        return series ? <Cell key={metric} series={series} values={lines.get(series.id)} /> : <td key={metric} class="no-series"><span class="quiet">–<span class="sr-only"> no {metricTitle(metric)}</span></span></td>;
      })}
    </tr>
  );
}

interface CellProps {
  series: Series;
  values: readonly number[] | undefined;
}

/** Equal properties give the same element, which is not rendered again. */
function Cell({ series, values }: CellProps) {
  return useMemo(() => <td><CellContent series={series} values={values} /></td>, [series, values]);
}

function CellContent({ series, values }: CellProps) {
  const { id, metric, unit, last, verdict, alarm } = series;
  const size = sizeOf(series);
  return (
    <a class="cell" href={urlOf("/live", { series: id })} data-testid="overview-series" data-series={id} data-verdict={verdict}>
      <span class="cell-metric">{metricTitle(metric)}</span>
      <b class="cell-value">{last ? quantity(unit, last.value) : "–"}</b>
      <Spark values={values ?? []} verdict={verdict} />
      <span class="cell-state">
        <VerdictBadge verdict={verdict} />
        {size && <b class={alarm?.incident?.direction === "better" ? "better" : "worse"}>{size}</b>}
        {alarm?.incident && <span class="quiet">since <Time at={alarm.incident.since} /></span>}
        {alarm?.learning && <span class="quiet">{count(alarm.values)} values so far</span>}
      </span>
    </a>
  );
}

const WIDTH = 120;
const HEIGHT = 24;

function Spark({ values, verdict }: { values: readonly number[]; verdict: Verdict }) {
  if (values.length < 2) return <span class="spark" />;
  return (
    <svg class={`spark ${verdict}`} viewBox={`-1 -2 ${WIDTH + 2} ${HEIGHT + 4}`} width={WIDTH} height={HEIGHT + 4} preserveAspectRatio="none" aria-hidden="true">
      <polyline points={sparkPoints(values, WIDTH, HEIGHT)} />
    </svg>
  );
}
