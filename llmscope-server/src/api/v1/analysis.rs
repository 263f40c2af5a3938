//! `GET /api/v1/analysis`: the report of `analyze --json`, over what the store has.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use llmscope_core::analysis::{Baseline, Grouping, Measure, Observation, Origin, Series, Stages, point_range};
use llmscope_core::stats::{Histogram, Sorted};
use llmscope_core::{
    Analysis, ChartKind, Metric, Missing, Plan, PowerTransform, Report, SpecificationLimits, Transform, Unit, analyze,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::operation::Operation;
use super::super::problem::Problem;
use super::super::take::{Between, Query};
use super::selecting::words_of;
use crate::moment::of_ns;
use crate::store::{Filter, Measurements, SeriesState, Store, StoredSeries};

/// The newest so many records are judged, unless told.
const RECORDS: u32 = 10_000;

/// What is judged, and how.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AnalysisAsked")]
pub(super) struct Asked {
    /// Of the series of this number: its provider, its model, and its metric unless another is named.
    #[serde(default)]
    series: Option<i64>,
    /// Of this provider.
    #[serde(default)]
    provider: Option<String>,
    /// Of this model.
    #[serde(default)]
    model: Option<String>,
    /// Of this uploaded session; without it, what arrived live.
    #[serde(default)]
    session: Option<i64>,
    /// Not before.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    from: Option<Timestamp>,
    /// Before.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    to: Option<Timestamp>,
    /// Of the last so many hours.
    #[serde(default)]
    hours: Option<Between<1, 87_600>>,
    /// The newest so many records.
    #[serde(default)]
    limit: Option<Between<1, 1_000_000>>,
    /// Metrics, separated by commas.
    #[serde(default)]
    metric: Option<String>,
    /// What requests have in common: provider, model, both, or none for all together.
    #[serde(default)]
    by: Option<String>,
    /// Individuals, ewma, cusum, moving-average, xbar-r, xbar-s, p.
    #[serde(default)]
    chart: Option<String>,
    /// Subgroups of so many.
    #[serde(default)]
    subgroup: Option<Between<2, 10_000>>,
    /// A preset, or a list such as 1,2,5.
    #[serde(default)]
    rules: Option<String>,
    /// Scale of an individuals chart: none, log, box-cox or auto; that of the frozen limits, or else of the service,
    /// unless told. Values that have no place on it are gaps.
    #[serde(default)]
    transform: Option<String>,
    /// Limits from the first N points, or from A..B.
    #[serde(default)]
    phase1: Option<String>,
    /// Where limits from the data begin anew: at points such as 150,300, or auto, where the level changes.
    #[serde(default)]
    stages: Option<String>,
    /// Whose limits.
    #[serde(default)]
    limits: Option<LimitsOf>,
    /// Lower specification limit, such as 200ms.
    #[serde(default)]
    lsl: Option<String>,
    /// Upper specification limit, such as 800ms.
    #[serde(default)]
    usl: Option<String>,
    /// Target.
    #[serde(default)]
    target: Option<String>,
    /// Level of the intervals.
    #[serde(default)]
    confidence: Option<f64>,
    /// With every point.
    #[serde(default)]
    points: Option<bool>,
    /// Points are thinned to about so many; what breaks a rule stays.
    #[serde(default)]
    max_points: Option<Between<10, 100_000>>,
}

/// Whose limits the values are judged against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum LimitsOf {
    /// Those of the series, frozen.
    Frozen,
    /// Those of the values themselves.
    Data,
}

/// How many of the values lie in each of equal bins.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HistogramAnswer")]
struct Counted {
    /// One more than there are bins.
    edges: Vec<f64>,
    counts: Vec<usize>,
    n: usize,
    unit: Unit,
    #[serde(skip_serializing_if = "Option::is_none")]
    specification: Option<SpecificationLimits>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/analysis", "Charts, violations and capability (llmscope.report/1)", report)
            .asks::<Asked>()
            .gives::<Report>(),
        Operation::get("/api/v1/histogram", "The distribution of the same values", histogram)
            .asks::<Asked>()
            .gives::<Counted>(),
    ]
}

async fn report(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<Report>, Problem> {
    let usual = app.transform;
    let analyses = app.work(move |store| analyses(store, &asked, usual)).await?;
    Ok(Json(Report::new(Some(Timestamp::now()), analyses)))
}

/// The analyses that were asked for; limits of the values themselves stand on the usual scale, unless another is asked
/// for.
pub(super) fn analyses(store: &dyn Store, asked: &Asked, usual: Transform) -> Result<Vec<Analysis>, Problem> {
    let frozen = frozen(store, asked)?;
    let judge = |series: &Series| {
        let plan = plan(asked, series, &frozen, usual)?;
        let mut analysis = analyze(series, &plan)?;
        if let Some(most) = asked.max_points {
            analysis.thin_points(most.0 as usize);
        }
        Ok(analysis)
    };
    series(store, asked)?.iter().map(judge).collect()
}

async fn histogram(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<Counted>, Problem> {
    app.work(move |store| counted(store, &asked)).await.map(Json)
}

fn counted(store: &dyn Store, asked: &Asked) -> Result<Counted, Problem> {
    let series = series(store, asked)?.into_iter().next();
    let series = series.ok_or_else(|| Problem::NotFound("no values are selected".to_owned()))?;
    let specification = specification(asked, series.measure.unit())?;
    let values: Vec<f64> = series.values.iter().copied().filter(|value| value.is_finite()).collect();
    let sorted = Sorted::of(&values);
    let (mut edges, mut counts) = (Vec::new(), Vec::new());
    if let Some(histogram) = Histogram::of(&sorted) {
        counts = histogram.counts().to_vec();
        edges = (0..counts.len()).map(|bin| histogram.bin(bin).0).collect();
        edges.extend(counts.len().checked_sub(1).map(|last| histogram.bin(last).1));
    }
    Ok(Counted { edges, counts, n: values.len(), unit: series.measure.unit(), specification })
}

/// The series of every group and metric that are selected.
fn series(store: &dyn Store, asked: &Asked) -> Result<Vec<Series>, Problem> {
    let filter = words_of!(asked, Some(asked.limit.map_or(RECORDS, |limit| limit.0) as usize)).filter()?;
    let own = asked.series.map(|id| named(store, id)).transpose()?;
    let filter = Filter { source: own.as_ref().map(|series| series.source.id), ..filter };
    let source = match filter.session {
        None => "live".to_owned(),
        Some(id) => session_name(store, id)?,
    };
    let mut all = Vec::new();
    for metric in metrics(asked, own.map(|series| series.name.metric))? {
        let mut groups: BTreeMap<BTreeMap<String, String>, Vec<Measurements>> = BTreeMap::new();
        for measurements in store.measurements(&filter, metric)? {
            groups.entry(group(asked, &measurements)?).or_default().push(measurements);
        }
        let each = groups.into_iter().map(|(group, parts)| joined(&source, group, metric, parts));
        // A source that never measured this metric says nothing about it.
        all.extend(each.filter(|series| metric == Metric::E2e || series.values.iter().any(|value| !value.is_nan())));
    }
    Ok(all)
}

fn session_name(store: &dyn Store, id: i64) -> Result<String, Problem> {
    let known = store.sessions()?.into_iter().find(|session| session.id == id);
    known.map(|session| session.name).ok_or_else(|| Problem::NotFound(format!("there is no session {id}")))
}

/// The series of a number.
fn named(store: &dyn Store, id: i64) -> Result<SeriesState, Problem> {
    let known = store.series()?.into_iter().find(|series| series.state.name.id == id);
    known.map(|series| series.state).ok_or_else(|| Problem::NotFound(format!("there is no series {id}")))
}

fn metrics(asked: &Asked, usual: Option<Metric>) -> Result<Vec<Metric>, Problem> {
    let names = asked.metric.as_deref().unwrap_or(usual.unwrap_or(Metric::E2e).name());
    let one =
        |name: &str| name.trim().parse().map_err(|e: llmscope_core::Error| Problem::query("metric", e.to_string()));
    names.split(',').map(one).collect()
}

fn group(asked: &Asked, of: &Measurements) -> Result<BTreeMap<String, String>, Problem> {
    let mut group = BTreeMap::new();
    let by = asked.by.as_deref().unwrap_or("provider,model");
    for name in by.split(',').map(str::trim) {
        let value = match name {
            "provider" => Some(of.source.provider.clone()).filter(|provider| !provider.is_empty()),
            "model" => of.source.model.clone(),
            "none" => None,
            _ => return Err(Problem::query("by", format!("\"{name}\" is not one of provider, model, none"))),
        };
        group.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(group)
}

/// The measurements of several sources as one series, in time order.
fn joined(source: &str, group: BTreeMap<String, String>, metric: Metric, parts: Vec<Measurements>) -> Series {
    let warmup = parts.iter().map(|part| part.warmup).sum();
    let mut observations: Vec<Observation> = Vec::new();
    for part in parts {
        let each = part.at_ns.into_iter().zip(part.values).zip(part.failed).zip(part.positions);
        observations.extend(each.map(|(((at, value), failed), position)| Observation {
            value,
            failed,
            at: at.map(of_ns),
            position,
            companion: None,
        }));
    }
    // A session that does not say all times keeps its own order.
    let is_timed = observations.iter().all(|one| one.at.is_some());
    observations.sort_by_key(|one| (one.at.filter(|_| is_timed), one.position));
    let blank = Series::of_numbers(metric.name(), Vec::new()).with_observations(observations);
    Series {
        sources: vec![source.to_owned()],
        group,
        measure: Measure::Metric(metric),
        missing: Missing::Break,
        warmup,
        ..blank
    }
}

/// The frozen limits that may be used.
fn frozen(store: &dyn Store, asked: &Asked) -> Result<Vec<Baseline>, Problem> {
    let wanted = match asked.limits {
        Some(LimitsOf::Data) => false,
        Some(LimitsOf::Frozen) => true,
        // Of live records of one source on an individuals chart, unless limits come from a part of them.
        None => asked.session.is_none() && asked.phase1.is_none() && asked.stages.is_none() && asked.by.is_none(),
    };
    let stored = if wanted { store.series()? } else { Vec::new() };
    Ok(stored.iter().filter_map(StoredSeries::baseline).collect())
}

fn plan(asked: &Asked, series: &Series, frozen: &[Baseline], usual: Transform) -> Result<Plan, Problem> {
    let chart: Option<ChartKind> = asked.chart.as_deref().map(str::parse).transpose()?;
    let is_individuals = chart.is_none_or(|chart| chart == ChartKind::Individuals)
        && asked.subgroup.is_none()
        && series.measure != Measure::Metric(Metric::ErrorRate);
    let scale: Option<Transform> = asked.transform.as_deref().map(str::parse).transpose()?;
    let own = frozen.iter().any(|baseline| {
        let is_own = baseline.group == series.group && baseline.metric == series.measure.name();
        is_own && scale.is_none_or(|scale| stands_on(scale, baseline))
    });
    let origin = match (&asked.phase1, asked.limits) {
        (Some(points), _) => Origin::FirstPoints(point_range(points)?),
        (None, Some(LimitsOf::Frozen)) => Origin::Baseline(frozen.to_vec()),
        (None, None) if is_individuals && own => Origin::Baseline(frozen.to_vec()),
        _ => Origin::Data,
    };
    let usual = if is_individuals && !matches!(origin, Origin::Baseline(_)) { usual } else { Transform::None };
    let stages: Option<Stages> = asked.stages.as_deref().map(str::parse).transpose()?;
    let confidence = asked.confidence.unwrap_or(0.95);
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(Problem::query("confidence", format!("{confidence} is not a level between 0 and 1")));
    }
    let defaults = Plan::default();
    Ok(Plan {
        chart,
        subgroups: asked.subgroup.map(|size| Grouping::Every(size.0 as usize)),
        transform: scale.unwrap_or(usual),
        rules: asked.rules.as_deref().map(str::parse).transpose()?.unwrap_or(defaults.rules),
        origin,
        stages: stages.unwrap_or_default(),
        specification: specification(asked, series.measure.unit())?,
        confidence,
        points: asked.points.unwrap_or(false),
        ..Plan::default()
    })
}

/// True if frozen limits stand on the scale that is asked for. One that the data choose is theirs.
fn stands_on(scale: Transform, baseline: &Baseline) -> bool {
    match (scale, baseline.standards.transform) {
        (Transform::None, frozen) => frozen.is_none(),
        (Transform::Log, frozen) => frozen == Some(PowerTransform::LOG),
        (Transform::BoxCox | Transform::Auto, _) => false,
    }
}

fn specification(asked: &Asked, unit: Unit) -> Result<Option<SpecificationLimits>, Problem> {
    let read = |name: &str, text: &Option<String>| {
        let value = text.as_deref().map(|text| unit.parse(text)).transpose();
        value.map_err(|error| Problem::query(name, error.to_string()))
    };
    let (lower, upper, target) = (read("lsl", &asked.lsl)?, read("usl", &asked.usl)?, read("target", &asked.target)?);
    if lower.is_none() && upper.is_none() && target.is_none() {
        return Ok(None);
    }
    let limits = SpecificationLimits::new(lower, upper, target);
    limits.map(Some).map_err(|error| Problem::query("usl", error.to_string()))
}
