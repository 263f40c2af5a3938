import { useEffect, useMemo, useRef } from "preact/hooks";
import { report } from "../api/calls";
import { ApiError } from "../api/client";
import { connection } from "../api/stream";
import type { Series } from "../api/types";
import { ControlChart, type ChartHandle } from "../chart/control-chart";
import type { PlotSettings } from "../chart/plot";
import { AlarmVerdict } from "../parts/alarm";
import { Choice } from "../parts/fields";
import { Failure, Empty, Skeleton, Warnings } from "../parts/feedback";
import { SignalsTable } from "../parts/signals-table";
import { Statistics } from "../parts/statistics";
import { Telemetry } from "../parts/telemetry";
import { Time } from "../parts/time";
import { BigVerdict } from "../parts/verdict";
import { groupTitle, metricTitle, WINDOWS, windowQuery } from "../metrics";
import { navigate, patched, type Patch, urlOf, useQuery } from "../router";
import { useLiveReload } from "../state/live";
import { useLoaded } from "../state/loaded";
import { useSeries } from "../state/series";
import { useStore } from "../store";
import { ChartChoices, settingsOf } from "./chart-choices";
import { FirstSteps } from "./first-steps";
import { LimitsBar } from "./limits-bar";
import { Learning, SeriesList } from "./series-list";
import { SpecificationFields } from "./specification-fields";

const MAX_POINTS = 3000;
const DEFAULT_WINDOW = "500";

export function Live() {
  const { list, error, reload } = useSeries();
  const [query] = useQuery();
  const chosen = list?.length ? chosenOf(list, query.get("series")) : undefined;
  // The address names the series that is shown, so that it stays when other series get violations.
  useEffect(() => {
    if (chosen && !query.has("series")) navigate(urlOf("/live", patched(query, { series: chosen.id })), true);
  }, [chosen?.id, query]);
  if (list === null) {
    return <main id="main"><h1 class="sr-only">Live</h1>{error ? <Failure error={error} retry={reload} what="The series could not be loaded." /> : <Skeleton kind="table" what="series" />}</main>;
  }
  if (list.length === 0) return <main id="main"><h1 class="sr-only">Live</h1><FirstSteps /><Telemetry /></main>;
  return (
    <div class="live">
      <SeriesList list={list} chosen={chosen?.id ?? null} query={query} />
      <main id="main">
        {chosen ? <SeriesPanel key={chosen.id} series={chosen} /> : <Empty title="This series does not exist."><p><a href="/live">Show all series</a></p></Empty>}
      </main>
    </div>
  );
}

/** The series that the address names. Without a name, one with an incident, else the one with the most open violations. */
function chosenOf(list: Series[], wanted: string | null): Series | undefined {
  if (wanted !== null) return list.find(({ id }) => String(id) === wanted);
  const urgency = ({ alarm, verdict, open_violations: open }: Series) => (alarm && verdict === "out_of_control" ? 1e9 : 0) + open;
  return list.reduce((worst, series) => (urgency(series) > urgency(worst) ? series : worst));
}

function SeriesPanel({ series }: { series: Series }) {
  const [query, change] = useQuery();
  const window = query.get("window") ?? DEFAULT_WINDOW;
  const selection: Patch = {
    series: series.id, ...windowQuery(window),
    lsl: query.get("lsl"), usl: query.get("usl"), target: query.get("target"), points: "true", max_points: MAX_POINTS,
  };
  const { data, error, loading, at, reload } = useLoaded(urlOf("analysis", selection), (signal) => report(selection, signal), String(series.id));
  useLiveReload(series.id, reload);
  const { reload: reloadList } = useSeries();
  // Status 404: the series was removed elsewhere.
  useEffect(() => {
    if (error instanceof ApiError && error.status === 404) reloadList();
  }, [error]);
  const analysis = data?.analyses[0];
  const chart = useRef<ChartHandle>(null);
  const xAxis = query.get("x") ?? "";
  const settings = useMemo<PlotSettings>(() => settingsOf(query, null), [xAxis, query.get("y")]);

  return (
    <>
      <div class="view-head">
        <div>
          <p class="overline">{groupTitle(series)}</p>
          <h1>{metricTitle(series.metric)}</h1>
        </div>
        <LastUpdated at={at} loading={loading} />
      </div>
      <div class="controls">
        <Choice label="Window" value={window} options={WINDOWS} onPick={(value) => change({ window: value === DEFAULT_WINDOW ? null : value })} testId="window" />
        <SpecificationFields query={query} change={change} />
      </div>
      {error && <Failure error={error} retry={reload} what="The analysis could not be loaded." />}
      {!analysis && loading && !error && <Skeleton kind="chart" what="the chart" />}
      {!analysis && !loading && !error && <Empty title="There are no measurements in this window."><p>Choose a longer window, or “all”.</p></Empty>}
      {analysis && (
        <>
          {series.alarm && <div class="panel"><AlarmVerdict verdict={series.verdict} alarm={series.alarm} /></div>}
          <div class="panel hero">
            <div class="hero-head">
              <BigVerdict analysis={analysis} asPatterns={series.alarm !== undefined} note={analysis.patterns.verdict === "out_of_control" && series.open_violations === 0 ? "None of them is still open." : null} />
              {series.state === "learning" && <Learning series={series} />}
              <ChartChoices query={query} change={change} />
            </div>
            <ControlChart analysis={analysis} settings={settings} handle={chart} tableHref="#violations-table" focusAt={query.get("at")} />
            <LimitsBar series={series} window={window} />
          </div>
          <Statistics analysis={analysis} />
          <Telemetry />
          <Warnings items={analysis.warnings} />
          <section aria-labelledby="violations-title">
            <h2 id="violations-title" class="section-title">Violations in this window <a href={urlOf("/violations", { series: series.id })}>of all time</a></h2>
            <SignalsTable analysis={analysis} onPick={(first, last) => chart.current?.zoomTo(first, last)} />
          </section>
        </>
      )}
    </>
  );
}

function LastUpdated({ at, loading }: { at: Date | null; loading: boolean }) {
  const paused = useStore(connection) === "paused";
  return (
    <p class="quiet updated" data-testid="last-updated">
      {at ? <>{paused ? "paused, as of" : "updated"} <Time at={at} /></> : loading ? "loading…" : "not loaded"}
    </p>
  );
}
