//! `GET /api/v1/analysis`: the report of `llmscope analyze --json` for records in the store.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use llmscope_core::analysis::answer::{ALPHA, check_objectives, family_of, limit_of_requests};
use llmscope_core::analysis::{
    Analysis, Baseline, DecidedBy, Grouping, Measure, Observation, Origin, Series, Stages, chart_of_runs,
    check_one_kind, columns_of_series, point_range,
};
use llmscope_core::session::RunEvent;
use llmscope_core::stats::{Histogram, Sorted};
use llmscope_core::{
    ChartKind, Metric, Missing, Objective, Plan, PowerTransform, Report, SpecificationLimits, Transform, Unit, analyze,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::{Between, Query};
use super::super::operation::Operation;
use super::filter::RecordQuery;
use super::session_ids::SessionIds;
use crate::store::{Filter, Measurements, SeriesState, Store, StoredSeries};
use crate::timestamp::from_ns;

/// By default, the newest 10,000 records are analyzed.
const RECORDS: u32 = 10_000;

/// Which records to analyze, and how.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnalysisQuery {
    /// Only records of the series with this id; also the default of `metric`.
    #[serde(default)]
    series: Option<i64>,
    /// Only records of this provider.
    #[serde(default)]
    provider: Option<String>,
    /// Only records of this model.
    #[serde(default)]
    model: Option<String>,
    /// Only records of the uploaded sessions with these ids, separated by commas; by default, live records. Several
    /// sessions are judged as runs.
    #[serde(default)]
    session: Option<SessionIds>,
    /// Only records at or after this time.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    from: Option<Timestamp>,
    /// Only records before this time.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    to: Option<Timestamp>,
    /// Only records of the last N hours.
    #[serde(default)]
    hours: Option<Between<1, 87_600>>,
    /// At most the newest N records, of each session if sessions are selected.
    #[serde(default)]
    limit: Option<Between<1, 1_000_000>>,
    /// Metrics, separated by commas.
    #[serde(default)]
    metric: Option<String>,
    /// How to group requests: by provider, model, both (provider,model), or none for one group.
    #[serde(default)]
    by: Option<String>,
    /// The chart: individuals, ewma, cusum, moving-average, xbar-r, xbar-s or p.
    #[serde(default)]
    chart: Option<String>,
    /// The size of subgroups.
    #[serde(default)]
    subgroup: Option<Between<2, 10_000>>,
    /// The rules: a preset, or a list such as 1,2,5.
    #[serde(default)]
    rules: Option<String>,
    /// Transformation for an individuals chart: none, log, box-cox or auto. By default, that of the frozen limits, or
    /// else that of the service. Values that cannot be transformed are gaps.
    #[serde(default)]
    transform: Option<String>,
    /// Estimate limits from the first N points, or from points A..B.
    #[serde(default)]
    phase1: Option<String>,
    /// Where a new stage starts, with its own limits from the data: at points such as 150,300, or auto for where the
    /// level changes.
    #[serde(default)]
    stages: Option<String>,
    /// The source of the limits.
    #[serde(default)]
    limits: Option<LimitsOf>,
    /// Lower specification limit, such as 200ms.
    #[serde(default)]
    lsl: Option<String>,
    /// Upper specification limit, such as 800ms.
    #[serde(default)]
    usl: Option<String>,
    /// Target value, such as 500ms.
    #[serde(default)]
    target: Option<String>,
    /// Objectives, such as errors=1%,ttft.p99=500ms of the records, or ttft=500ms of a request, which is an upper
    /// specification limit.
    #[serde(default)]
    slo: Option<String>,
    /// Confidence level of the intervals.
    #[serde(default)]
    confidence: Option<f64>,
    /// The chance that the call reports a change of any series if nothing changed; by default 0.01.
    #[serde(default)]
    alpha: Option<f64>,
    /// What decides: changes, or rules on the charts. By default changes, but rules if the limits are frozen or estimated
    /// from phase I.
    #[serde(default)]
    verdict: Option<DecidedBy>,
    /// Whether single slow requests make a series changed. They then have a share of alpha.
    #[serde(default)]
    spikes: Option<bool>,
    /// Include every point.
    #[serde(default)]
    points: Option<bool>,
    /// Downsample to about N points; points that violate a rule stay.
    #[serde(default)]
    max_points: Option<Between<10, 100_000>>,
}

impl AnalysisQuery {
    /// True if one limit applies to each value of the series.
    const fn has_limits(&self) -> bool {
        self.lsl.is_some() || self.usl.is_some() || self.target.is_some()
    }

    /// The filter of the records to analyze, of whatever session.
    fn filter(&self) -> Result<Filter, ApiError> {
        RecordQuery {
            provider: self.provider.clone(),
            model: self.model.clone(),
            session: None,
            from: self.from,
            to: self.to,
            hours: self.hours.map(|hours| hours.0),
            limit: self.limit.map_or(RECORDS, |limit| limit.0) as usize,
        }
        .filter()
    }
}

/// The source of the limits that judge the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum LimitsOf {
    /// The frozen limits of the series.
    Frozen,
    /// Limits estimated from the selected values: by default, from their last stage.
    Data,
}

/// A report and its headline. The core computes both.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AnalysisReport")]
struct HeadlineAndReport {
    /// The result of the call as one sentence.
    headline: String,
    #[serde(flatten)]
    report: Report,
    /// The charts of the runs of the series, if several sessions are selected and have enough runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    runs: Vec<ChartOfRuns>,
}

/// The runs of a series as the points of a chart.
#[derive(Serialize, JsonSchema)]
pub(super) struct ChartOfRuns {
    /// The index of the analysis of the series.
    analysis: usize,
    /// Each point is the median of a run.
    chart: Analysis,
}

/// What a query selects, judged.
pub(super) struct Judged {
    pub(super) report: Report,
    runs: Vec<ChartOfRuns>,
}

/// The number of values in each of several bins of equal width.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HistogramAnswer")]
struct HistogramBins {
    /// The edges of the bins, one more than there are bins.
    edges: Vec<f64>,
    counts: Vec<usize>,
    n: usize,
    unit: Unit,
    #[serde(skip_serializing_if = "Option::is_none")]
    specification: Option<SpecificationLimits>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/api/v1/analysis",
            "Analyze records: what changed, charts, patterns and capability (llmscope.report/2)",
            report,
        )
        .query::<AnalysisQuery>()
        .response::<HeadlineAndReport>(),
        Operation::get("/api/v1/histogram", "Return the histogram of the selected values", histogram)
            .query::<AnalysisQuery>()
            .response::<HistogramBins>(),
    ]
}

async fn report(
    State(app): State<App>,
    Query(query): Query<AnalysisQuery>,
) -> Result<Json<HeadlineAndReport>, ApiError> {
    let usual = app.transform;
    let Judged { report, runs } = app.run_blocking(move |store| judged(store, &query, usual)).await?;
    Ok(Json(HeadlineAndReport { headline: report.headline(), report, runs }))
}

/// The report of the requested series. `usual` is the default transformation for limits that are estimated from the values.
pub(super) fn judged(store: &dyn Store, query: &AnalysisQuery, usual: Transform) -> Result<Judged, ApiError> {
    let frozen = frozen(store, query)?;
    let series = series(store, query)?;
    if query.has_limits() {
        // Every metric of the store is in its own SI unit.
        let one_kind = check_one_kind(&series, true);
        one_kind.map_err(|error| ApiError::query("usl", format!("{error}; select one metric")))?;
    }
    let shared = shared(query, &series)?;
    let plan = |series: &Series| {
        let own = plan(query, series, &frozen, usual)?;
        let specification = own.specification.or(limit_of_requests(&shared.objectives, series)?);
        let objectives = shared.objectives.clone();
        Ok(Plan { alpha: shared.alpha, family: shared.family, objectives, specification, ..own })
    };
    let plans = series.iter().map(plan).collect::<Result<Vec<Plan>, ApiError>>()?;
    let judge = |(series, plan): (&Series, &Plan)| {
        let mut analysis = analyze(series, plan)?;
        if let Some(most) = query.max_points {
            analysis.downsample_points(most.0 as usize);
        }
        Ok(analysis)
    };
    let analyses = series.iter().zip(&plans).map(judge).collect::<Result<Vec<Analysis>, ApiError>>()?;
    let runs = charts_of_runs(&series, &analyses)?;
    let decided_by = query.verdict.unwrap_or_else(|| decided_by(query, &plans));
    let report = Report::new(Some(Timestamp::now()), &shared, analyses).decided_by(decided_by);
    Ok(Judged { report: report.with_columns(columns_of_series(&series)), runs })
}

fn charts_of_runs(series: &[Series], analyses: &[Analysis]) -> Result<Vec<ChartOfRuns>, ApiError> {
    let mut charts = Vec::new();
    for (analysis, (series, judged)) in series.iter().zip(analyses).enumerate() {
        charts.extend(chart_of_runs(series, judged)?.map(|chart| ChartOfRuns { analysis, chart }));
    }
    Ok(charts)
}

/// Limits that do not come from the judged values are there to be judged by rules.
fn decided_by(query: &AnalysisQuery, plans: &[Plan]) -> DecidedBy {
    let is_requested = query.phase1.is_some() || query.limits == Some(LimitsOf::Frozen);
    let is_frozen = |plan: &Plan| matches!(plan.origin, Origin::Baseline(_));
    if is_requested || plans.iter().any(is_frozen) { DecidedBy::Rules } else { DecidedBy::Changes }
}

/// The alpha of the call, the number of series that share it, and the objectives.
fn shared(query: &AnalysisQuery, series: &[Series]) -> Result<Plan, ApiError> {
    let alpha = query.alpha.unwrap_or(ALPHA);
    if !(alpha > 0.0 && alpha < 0.5) {
        return Err(ApiError::query(
            "alpha",
            format!("invalid alpha {alpha}: expected a probability above 0 and below 0.5"),
        ));
    }
    let objectives = query.slo.as_deref().map(Objective::list).transpose();
    let objectives = objectives.map_err(|error| ApiError::query("slo", error.to_string()))?.unwrap_or_default();
    if !series.is_empty() {
        check_objectives(&objectives, series).map_err(|error| ApiError::query("slo", error.to_string()))?;
    }
    Ok(Plan { alpha, family: family_of(series), objectives, ..Plan::default() })
}

async fn histogram(
    State(app): State<App>,
    Query(query): Query<AnalysisQuery>,
) -> Result<Json<HistogramBins>, ApiError> {
    app.run_blocking(move |store| counted(store, &query)).await.map(Json)
}

fn counted(store: &dyn Store, query: &AnalysisQuery) -> Result<HistogramBins, ApiError> {
    let series = series(store, query)?.into_iter().next();
    let series = series.ok_or_else(|| ApiError::NotFound("no values match the query".to_owned()))?;
    let specification = specification(query, series.unit())?;
    let values: Vec<f64> = series.values.iter().copied().filter(|value| value.is_finite()).collect();
    let sorted = Sorted::of(&values);
    let (mut edges, mut counts) = (Vec::new(), Vec::new());
    if let Some(histogram) = Histogram::of(&sorted) {
        counts = histogram.counts().to_vec();
        edges = (0..counts.len()).map(|bin| histogram.bin(bin).0).collect();
        edges.extend(counts.len().checked_sub(1).map(|last| histogram.bin(last).1));
    }
    Ok(HistogramBins { edges, counts, n: values.len(), unit: series.unit(), specification })
}

/// One series for each selected group and metric.
fn series(store: &dyn Store, query: &AnalysisQuery) -> Result<Vec<Series>, ApiError> {
    let filter = query.filter()?;
    let own = query.series.map(|id| named(store, id)).transpose()?;
    let filter = Filter { source: own.as_ref().map(|series| series.source.id), ..filter };
    let logs = Log::selected(store, query)?;
    let mut all = Vec::new();
    for metric in metrics(query, own.map(|series| series.name.metric))? {
        let mut groups: BTreeMap<BTreeMap<String, String>, Vec<(&Log, Measurements)>> = BTreeMap::new();
        for log in &logs {
            for measurements in store.measurements(&Filter { session: log.session, ..filter.clone() }, metric)? {
                groups.entry(group(query, &measurements)?).or_default().push((log, measurements));
            }
        }
        let each = groups.into_iter().flat_map(|(group, parts)| joined(group, metric, parts).by_definition());
        // Leave out a source without any value of this metric.
        let has_something =
            |series: &Series| series.observations.failures() > 0 || series.values.iter().any(|value| !value.is_nan());
        all.extend(each.filter(|series| metric == Metric::E2e || has_something(series)));
    }
    Ok(all)
}

/// The live records, or an uploaded session.
struct Log {
    session: Option<i64>,
    name: String,
    events: Vec<RunEvent>,
}

impl Log {
    fn selected(store: &dyn Store, query: &AnalysisQuery) -> Result<Vec<Self>, ApiError> {
        let Some(SessionIds(ids)) = &query.session else {
            return Ok(vec![Self { session: None, name: "live".to_owned(), events: Vec::new() }]);
        };
        let known = store.sessions()?;
        let one = |&id: &i64| {
            let name = known.iter().find(|session| session.id == id).map(|session| session.name.clone());
            let name = name.ok_or_else(|| ApiError::NotFound(format!("there is no session {id}")))?;
            Ok(Self { session: Some(id), name, events: store.events(id)? })
        };
        ids.iter().map(one).collect()
    }
}

/// The series with this id.
fn named(store: &dyn Store, id: i64) -> Result<SeriesState, ApiError> {
    let known = store.series()?.into_iter().find(|series| series.state.name.id == id);
    known.map(|series| series.state).ok_or_else(|| ApiError::NotFound(format!("there is no series {id}")))
}

fn metrics(query: &AnalysisQuery, usual: Option<Metric>) -> Result<Vec<Metric>, ApiError> {
    let names = query.metric.as_deref().unwrap_or(usual.unwrap_or(Metric::E2e).name());
    let one =
        |name: &str| name.trim().parse().map_err(|e: llmscope_core::Error| ApiError::query("metric", e.to_string()));
    names.split(',').map(one).collect()
}

fn group(query: &AnalysisQuery, of: &Measurements) -> Result<BTreeMap<String, String>, ApiError> {
    let mut group = BTreeMap::new();
    let by = query.by.as_deref().unwrap_or("provider,model");
    for name in by.split(',').map(str::trim) {
        let value = match name {
            "provider" => Some(of.source.provider.clone()).filter(|provider| !provider.is_empty()),
            "model" => of.source.model.clone(),
            "none" => None,
            _ => {
                return Err(ApiError::query(
                    "by",
                    format!("invalid group \"{name}\": expected provider, model or none"),
                ));
            }
        };
        group.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(group)
}

/// Joins the measurements of one group into a series, in time order. Each log is a source of the series.
fn joined(group: BTreeMap<String, String>, metric: Metric, parts: Vec<(&Log, Measurements)>) -> Series {
    let warmup = parts.iter().map(|(_, part)| part.warmup).sum();
    let (mut logs, mut observations): (Vec<&Log>, Vec<Observation>) = (Vec::new(), Vec::new());
    for (log, part) in parts {
        if logs.last().is_none_or(|last| last.session != log.session) {
            logs.push(log);
        }
        let source = logs.len() - 1;
        let measured = part.at_ns.into_iter().zip(part.values).zip(part.positions);
        let each = measured.zip(part.failed).zip(part.failures).zip(part.tokens).zip(part.definitions);
        observations.extend(each.map(|((((((at, value), position), failed), failure), tokens), tpot_definition)| {
            Observation {
                value,
                failed,
                at: at.map(from_ns),
                source,
                position,
                failure,
                tokens,
                tpot_definition,
                ..Observation::default()
            }
        }));
    }
    // Logs without all times keep their order.
    let is_timed = observations.iter().all(|one| one.at.is_some());
    observations.sort_by_key(|one| (one.at.filter(|_| is_timed), one.source, one.position));
    let mut events: Vec<RunEvent> = logs.iter().flat_map(|log| log.events.iter().cloned()).collect();
    events.sort_by_key(|event| event.at);
    let blank = Series::of_numbers(metric.name(), Vec::new()).with_observations(observations);
    Series {
        sources: logs.iter().map(|log| log.name.clone()).collect(),
        group,
        measure: Measure::Metric(metric),
        missing: Missing::Break,
        warmup,
        events,
        ..blank
    }
}

/// The frozen limits that the analysis may use.
fn frozen(store: &dyn Store, query: &AnalysisQuery) -> Result<Vec<Baseline>, ApiError> {
    let required = match query.limits {
        Some(LimitsOf::Data) => false,
        Some(LimitsOf::Frozen) => true,
        // By default for live records, unless the query groups them or takes the limits from a part of them.
        None => query.session.is_none() && query.phase1.is_none() && query.stages.is_none() && query.by.is_none(),
    };
    let stored = if required { store.series()? } else { Vec::new() };
    Ok(stored.iter().filter_map(StoredSeries::baseline).collect())
}

fn plan(query: &AnalysisQuery, series: &Series, frozen: &[Baseline], usual: Transform) -> Result<Plan, ApiError> {
    let chart: Option<ChartKind> = query.chart.as_deref().map(str::parse).transpose()?;
    let is_individuals = chart.is_none_or(|chart| chart == ChartKind::Individuals)
        && query.subgroup.is_none()
        && series.measure != Measure::Metric(Metric::ErrorRate);
    let scale: Option<Transform> = query.transform.as_deref().map(str::parse).transpose()?;
    let own = frozen
        .iter()
        .any(|baseline| baseline.applies_to(series) && scale.is_none_or(|scale| is_on_scale(scale, baseline)));
    let origin = match (&query.phase1, query.limits) {
        (Some(points), _) => Origin::FirstPoints(point_range(points)?),
        (None, Some(LimitsOf::Frozen)) => Origin::Baseline(frozen.to_vec()),
        (None, None) if is_individuals && own => Origin::Baseline(frozen.to_vec()),
        // With rules or a scale of the query, the limits are those of all points.
        _ if query.rules.is_some() || scale.is_some() || query.verdict == Some(DecidedBy::Rules) => Origin::Data,
        _ => Origin::LastStage,
    };
    let usual = if is_individuals && !matches!(origin, Origin::Baseline(_)) { usual } else { Transform::None };
    let stages: Option<Stages> = query.stages.as_deref().map(str::parse).transpose()?;
    let confidence = query.confidence.unwrap_or(0.95);
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(ApiError::query(
            "confidence",
            format!("invalid confidence level {confidence}: expected a number between 0 and 1"),
        ));
    }
    let defaults = Plan::default();
    Ok(Plan {
        chart,
        subgroups: query.subgroup.map(|size| Grouping::Every(size.0 as usize)),
        transform: scale.unwrap_or(usual),
        rules: query.rules.as_deref().map(str::parse).transpose()?.unwrap_or(defaults.rules),
        origin,
        stages: stages.unwrap_or_default(),
        specification: specification(query, series.unit())?,
        confidence,
        points: query.points.unwrap_or(false),
        slow_requests: query.spikes.unwrap_or(false),
        ..Plan::default()
    })
}

/// True if the frozen limits use the requested transformation. One that depends on the data never matches.
fn is_on_scale(scale: Transform, baseline: &Baseline) -> bool {
    match (scale, baseline.standards.transform) {
        (Transform::None, frozen) => frozen.is_none(),
        (Transform::Log, frozen) => frozen == Some(PowerTransform::LOG),
        (Transform::BoxCox | Transform::Auto, _) => false,
    }
}

fn specification(query: &AnalysisQuery, unit: Unit) -> Result<Option<SpecificationLimits>, ApiError> {
    let read = |name: &str, text: &Option<String>| {
        let value = text.as_deref().map(|text| unit.parse(text)).transpose();
        value.map_err(|error| ApiError::query(name, error.to_string()))
    };
    let (lower, upper, target) = (read("lsl", &query.lsl)?, read("usl", &query.usl)?, read("target", &query.target)?);
    if lower.is_none() && upper.is_none() && target.is_none() {
        return Ok(None);
    }
    let limits = SpecificationLimits::new(lower, upper, target);
    limits.map(Some).map_err(|error| ApiError::query("usl", error.to_string()))
}
