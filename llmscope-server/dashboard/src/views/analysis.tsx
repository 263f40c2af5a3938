import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { allSessions, report } from "../api/calls";
import type { Analysis as Result } from "../api/types";
import { ControlChart, type ChartHandle } from "../chart/control-chart";
import type { PlotSettings } from "../chart/plot";
import { Choice } from "../parts/fields";
import { Failure, Empty, Skeleton, Warnings } from "../parts/feedback";
import { SignalsTable } from "../parts/signals-table";
import { Statistics } from "../parts/statistics";
import { BigVerdict } from "../parts/verdict";
import { usualMetric } from "../metrics";
import { navigate, patched, type Patch, urlOf, useQuery } from "../router";
import { useLoaded } from "../state/loaded";
import { useSeries } from "../state/series";
import { AnalysisForm } from "./analysis-form";
import { phaseOneOf, phaseOneText, selectionOf, withPoints } from "./analysis-query";
import { Answers } from "./answers";
import { Distribution } from "./distribution";
import { ChartChoices, settingsOf } from "./chart-choices";
import { Exports } from "./exports";
import { seriesTitle } from "./series-title";

export function Analysis() {
  const [query, change] = useQuery();
  const { list, error: unlisted } = useSeries();
  const first = list?.[0];
  // If the address selects nothing, the view shows the first series.
  const isNamed = ["series", "metric", "session"].some((name) => query.has(name));
  const isWaiting = !isNamed && (list === null ? unlisted === null : first !== undefined);
  useEffect(() => {
    if (!first || isNamed) return;
    navigate(urlOf("/analysis", patched(query, { series: first.id, metric: first.metric })), true);
  }, [first?.id, query]);
  const selection = selectionOf(query);
  const pointsQuery = withPoints(selection);
  const loaded = useLoaded(isWaiting ? null : urlOf("analysis", pointsQuery), (signal) => report(pointsQuery, signal), "analysis");
  const analyses = loaded.data?.analyses ?? [];
  const chosen = Math.min(Number(query.get("group") ?? 0) || 0, Math.max(analyses.length - 1, 0));
  const analysis = analyses[chosen];
  const runs = loaded.data?.runs?.find((one) => one.analysis === chosen)?.chart;
  const details = useRef<HTMLDivElement>(null);
  const pick = (group: number) => {
    change({ group: group || null });
    details.current?.scrollIntoView({ block: "start" });
  };

  return (
    <main id="main" class="analysis">
      <h1>Analysis</h1>
      {loaded.data && analysis && !loaded.error && <Answers report={loaded.data} chosen={chosen} pick={pick} />}
      <AnalysisForm query={query} change={change} />
      {loaded.error && <Failure error={loaded.error} retry={loaded.reload} what="The analysis could not be loaded." />}
      {!loaded.data && (loaded.loading || isWaiting) && <Skeleton kind="chart" what="the analysis" />}
      {loaded.data && !analysis && <Nothing hasSeries={list === null || list.length > 0} />}
      {analysis && !loaded.error && (
        <div class="details" ref={details}><AnalysisPanel key={chosen} {...{ analysis, runs, selection, query, change }} busy={loaded.loading} /></div>
      )}
    </main>
  );
}

/** How runs are drawn. */
const RUNS: PlotSettings = { xAxis: "order", fit: "all", brushing: false, phaseOne: null };

/** Without live series, measurements are in the uploaded sessions. */
function Nothing({ hasSeries }: { hasSeries: boolean }) {
  const { data } = useLoaded(hasSeries ? null : "sessions", allSessions);
  const sessions = data?.sessions ?? [];
  if (hasSeries || sessions.length === 0) return <Empty title="No measurements match."><p>Choose another metric, provider or model, or a longer window.</p></Empty>;
  return (
    <Empty title="There are no live measurements.">
      <p>Choose a session:</p>
      <ul data-testid="choose-session">
        {sessions.slice(0, 10).map((session) => <li key={session.id}><a href={urlOf("/analysis", { session: String(session.id), metric: usualMetric([session]) })}>{session.name}</a></li>)}
      </ul>
      {sessions.length > 10 && <p><a href="/sessions">Show all sessions</a></p>}
    </Empty>
  );
}

interface AnalysisPanelProps {
  analysis: Result;
  runs: Result | undefined;
  selection: Patch;
  query: URLSearchParams;
  change: (patch: Patch) => void;
  busy: boolean;
}

function AnalysisPanel({ analysis, runs, selection, query, change, busy }: AnalysisPanelProps) {
  const chart = useRef<ChartHandle>(null);
  const [brushing, setBrushing] = useState(false);
  const phaseOne = query.get("phase1");
  const settings = useMemo<PlotSettings>(() => settingsOf(query, phaseOneOf(phaseOne), brushing), [query.get("x"), query.get("y"), phaseOne, brushing]);
  const brushed = (points: [number, number]) => {
    setBrushing(false);
    change({ phase1: phaseOneText(points), limits: null, stages: null });
  };
  return (
    <div aria-busy={busy}>
      {runs && <ChartOfRuns runs={runs} />}
      <div class="panel hero">
        <div class="hero-head">
          <h2 class="hero-title">{seriesTitle(analysis)}</h2>
          <div class="brush-bar">
            <Choice label="Action when dragging over the chart" value={brushing ? "phase1" : "zoom"} options={[["zoom", "drag to zoom"], ["phase1", "drag to select phase I"]]} onPick={(value) => setBrushing(value === "phase1")} testId="drag" />
            {phaseOne && <button type="button" class="small" data-testid="phase1-reset" onClick={() => change({ phase1: null })}>Reset phase I ({phaseOne})</button>}
          </div>
          <ChartChoices query={query} change={change} />
        </div>
        <ControlChart analysis={analysis} settings={settings} onBrush={brushed} handle={chart} tableHref="#violations-table" focusAt={query.get("at")} />
      </div>
      <Exports selection={selection} analysis={analysis} />
      <Statistics analysis={analysis} />
      <Warnings items={analysis.warnings} />
      <div class="columns">
        <section class="patterns" aria-labelledby="patterns-title">
          <h2 id="patterns-title" class="section-title">Patterns</h2>
          <BigVerdict analysis={analysis} />
          <SignalsTable analysis={analysis} onPick={(first, last) => chart.current?.zoomTo(first, last)} />
        </section>
        <Distribution analysis={analysis} selection={selection} />
      </div>
    </div>
  );
}

function ChartOfRuns({ runs }: { runs: Result }) {
  const chart = useRef<ChartHandle>(null);
  return (
    <section class="panel hero" aria-labelledby="runs-title" data-testid="chart-of-runs">
      <div class="hero-head"><h2 id="runs-title" class="hero-title">{seriesTitle(runs)}, by run</h2></div>
      <p class="quiet">Each point is the median of a run.</p>
      <ControlChart analysis={runs} settings={RUNS} handle={chart} tableHref="#violations-table" />
    </section>
  );
}
