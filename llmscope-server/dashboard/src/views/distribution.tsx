import { histogram } from "../api/calls";
import type { Analysis } from "../api/types";
import { Histogram } from "../chart/histogram";
import { Failure, Skeleton } from "../parts/feedback";
import { number, percent } from "../quantity";
import { type Patch, urlOf } from "../router";
import { useLoaded } from "../state/loaded";
import { useSeries } from "../state/series";
import { groupQuery } from "./group-query";

/** The histogram of the values, and the tests for normality and independence. */
export function Distribution({ analysis, selection }: { analysis: Analysis; selection: Patch }) {
  const query = groupQuery(selection, analysis, useSeries().list ?? []);
  const { data, error, loading, reload } = useLoaded(urlOf("histogram", query), (signal) => histogram(query, signal), "histogram");
  return (
    <section aria-labelledby="distribution-title">
      <h2 id="distribution-title" class="section-title">Distribution and capability</h2>
      {error && <Failure error={error} retry={reload} what="The histogram could not be loaded." />}
      {!data && loading && <Skeleton kind="chart" what="the histogram" />}
      {data && data.n > 0 && <div class="panel"><Histogram data={data} analysis={analysis} /></div>}
      <Facts analysis={analysis} />
    </section>
  );
}

function Facts({ analysis }: { analysis: Analysis }) {
  const { normality, autocorrelation, expected_ppm: expected, confidence } = analysis;
  const facts: [string, string][] = [];
  if (normality) facts.push(["Normality", `Anderson–Darling A² ${number(normality.anderson_darling)}, p ${normality.p < 0.001 ? "< 0.001" : number(normality.p)}`]);
  if (autocorrelation) facts.push(["Autocorrelation, lag 1", number(autocorrelation.lag1)]);
  if (expected?.within !== undefined) facts.push(["Expected outside, within σ", `${Math.round(expected.within).toLocaleString("en-US")} ppm`]);
  if (expected?.overall !== undefined) facts.push(["Expected outside, overall σ", `${Math.round(expected.overall).toLocaleString("en-US")} ppm`]);
  if (confidence !== undefined && analysis.specification) facts.push(["Intervals", `${percent(confidence, 0)} confidence`]);
  if (analysis.dispersion) facts.push([`Signals of the ${analysis.dispersion.chart} chart`, String(analysis.dispersion.violations.length)]);
  if (facts.length === 0) return null;
  return (
    <dl class="pairs" data-testid="facts">
      {facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}
