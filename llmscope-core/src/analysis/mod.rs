//! Judging a series: the one result that every face shows.

mod gathered;
mod judging;
mod plan;
mod scale;
mod selection;
mod series;
mod stage;
mod study;
mod thin;
mod warnings;
mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::measure::Measure;
pub use gathered::{Gathered, Input};
pub use judging::{MIN_POINTS, analyze};
pub use plan::{Baseline, Grouping, Origin, Plan, point_range};
pub use selection::{Gathering, Selection, SourceLog};
pub use series::{Kept, Observation, Observations, Series};
pub use stage::{Stage, Stages};
pub use study::{Component, Run, Study, runs_of, study};
pub use thin::shown;
pub use words::{MOST_VIOLATIONS, index};

use crate::capability::{Capability, ExpectedPpm, NonNormal, Performance, SpecificationLimits};
use crate::chart::cusum::Shift;
use crate::chart::{Chart, ChartKind, Phase};
use crate::ingest::Time;
use crate::limits::{ControlLimits, Line};
use crate::metric::Unit;
use crate::rules::{Judgement, RuleCode, RuleSet, Violation};
use crate::sigma::SigmaEstimator;
use crate::stats::Normality;
use crate::transform::PowerTransform;

/// The version of the report that this crate writes.
pub const REPORT_SCHEMA: &str = "llmscope.report/1";

/// Analyses under one roof, as they are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "LLMscope report")]
pub struct Report {
    /// The version of the format: `llmscope.report/1`.
    pub schema: String,
    /// When the report was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub generated_at: Option<Timestamp>,
    /// One for each group and metric.
    pub analyses: Vec<Analysis>,
    /// One for each metric over several runs, if the analyses are grouped by session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub studies: Vec<Study>,
}

impl Report {
    /// A report of these analyses.
    #[must_use]
    pub fn new(generated_at: Option<Timestamp>, analyses: Vec<Analysis>) -> Self {
        Self { schema: REPORT_SCHEMA.to_owned(), generated_at, analyses, studies: Vec::new() }
    }

    /// The same report with studies of several runs.
    #[must_use]
    pub fn with_studies(self, studies: Vec<Study>) -> Self {
        Self { studies, ..self }
    }

    /// True if a rule signals anywhere: in an analysis, or on the chart of the run means of a study.
    #[must_use]
    pub fn has_signals(&self) -> bool {
        let verdicts = self.analyses.iter().map(|analysis| analysis.verdict);
        verdicts.chain(self.studies.iter().map(|study| study.verdict)).any(|verdict| verdict == Verdict::OutOfControl)
    }

    /// The JSON Schema of a report.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Report).to_value()
    }
}

/// Whether the process is the one that the limits describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No rule signals.
    InControl,
    /// At least one rule signals, or the level was found to change.
    OutOfControl,
    /// Too few points to judge.
    NotEnoughData,
}

impl Verdict {
    /// The verdict's name in files and in Python.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::InControl => "in_control",
            Self::OutOfControl => "out_of_control",
            Self::NotEnoughData => "not_enough_data",
        }
    }

    /// The verdict in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::InControl => "in control",
            Self::OutOfControl => "out of control",
            Self::NotEnoughData => "not enough data",
        }
    }
}

/// Chart, violations and capability of one metric of one group. What does not apply is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// The files that the data come from.
    pub source: Vec<String>,
    /// What the requests have in common.
    pub group: BTreeMap<String, String>,
    /// The metric or column.
    pub metric: String,
    /// Its unit.
    pub unit: Unit,
    /// Number of measurements.
    pub n: usize,
    /// What was left out.
    pub excluded: Excluded,
    /// The chart.
    pub chart: ChartKind,
    /// Phase I: limits from these data; phase II: from an earlier study.
    pub phase: Phase,
    /// Arithmetic mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// The transformation that the measurements were judged after. Sigma, capability, performance, expected ppm,
    /// normality, autocorrelation and the chart of the spread are those of the transformed measurements; mean, median,
    /// quantiles, limits, points and observed ppm are in the unit of the metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<PowerTransform>,
    /// Within and overall sigma.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma: Option<SigmaReport>,
    /// Control limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<ControlLimits>,
    /// Stages with limits of their own, if they were asked for: one, if no change of the level was found. A change that
    /// nobody told of, and that was found, is a signal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// Codes of the rules that were applied.
    pub rules: Vec<RuleCode>,
    /// Where they signal.
    pub violations: Vec<Violation>,
    /// For a CUSUM chart, what its violations tell of: when the process shifted, and to where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<Shift>,
    /// The verdict.
    pub verdict: Verdict,
    /// How many points a judgement needs, if there are too few.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// The chart of the spread: its signals are shown and do not set the verdict of an individuals chart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispersion: Option<Dispersion>,
    /// Specification limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specification: Option<SpecificationLimits>,
    /// Indices of the within sigma.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capability: Option<Capability>,
    /// Indices of the overall sigma.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance: Option<Performance>,
    /// Performance without the assumption of a normal distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_normal: Option<NonNormal>,
    /// Level of the confidence intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Measurements outside the specification limits, per million.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_ppm: Option<f64>,
    /// Share outside that a normal distribution leads to expect, per million.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_ppm: Option<ExpectedPpm>,
    /// Anderson–Darling test of normality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normality: Option<Normality>,
    /// Dependence of neighbours; on a chart of single measurements about the means of their stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autocorrelation: Option<Autocorrelation>,
    /// Quantiles (Hyndman–Fan 7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<Quantiles>,
    /// What a reader should know before trusting the numbers.
    pub warnings: Vec<String>,
    /// Every point, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<Vec<Point>>,
    /// What the pictures are drawn from.
    #[serde(skip)]
    #[schemars(skip)]
    pub drawing: Option<Drawing>,
}

/// What the numbers of an analysis were computed from, for those who draw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drawing {
    /// The chart.
    pub chart: Chart<'static>,
    /// What the rules say about each of its points.
    pub judgement: Judgement,
    /// The rules.
    pub rules: RuleSet,
    /// When each point was measured, where that is known; empty if no time is.
    pub times: Vec<Time>,
}

impl Drawing {
    /// When the first and the last point were measured, if both are known.
    #[must_use]
    pub fn time_span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.times.first()?.get()?, self.times.last()?.get()?))
    }

    /// When a point was measured, where that is known.
    #[must_use]
    pub fn time(&self, point: usize) -> Option<Timestamp> {
        self.times.get(point).and_then(|time| time.get())
    }

    /// True if a plotted value lies between the control limits of its point.
    #[must_use]
    pub fn is_inside(&self, point: usize, value: f64) -> bool {
        let limits = &self.chart.limits;
        (limits.lower.at(point)..=limits.upper.at(point)).contains(&value)
    }

    /// Smallest and largest of the points and of the control limits; `None` without points.
    #[must_use]
    pub fn extent(&self) -> Option<(f64, f64)> {
        let Chart { points, limits, lower_points, .. } = &self.chart;
        let lines = [&limits.lower, &limits.upper].into_iter().filter_map(Line::extent);
        let points = points.iter().chain(lower_points.iter().flatten());
        points.map(|&x| (x, x)).chain(lines).reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
    }
}

/// Requests that were left out of a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Excluded {
    /// Failed requests, which have no latency.
    pub failed: usize,
    /// Warm-up requests.
    pub warmup: usize,
    /// Requests without this metric.
    pub missing: usize,
    /// Requests whose value is not positive, and so has no place on the scale of a transformation.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_positive: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Within and overall sigma.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SigmaReport {
    /// The within sigma that the limits stand on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    /// How it was estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimator: Option<SigmaEstimator>,
    /// The sample standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overall: Option<f64>,
    /// Laney's σ_z: variation beyond the binomial or Poisson.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inflation: Option<f64>,
}

/// The chart of the spread that belongs to a chart of the level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dispersion {
    /// Moving range, range or standard deviation.
    pub chart: ChartKind,
    /// Its control limits.
    pub limits: ControlLimits,
    /// Codes of the rules that were applied: those without zones.
    pub rules: Vec<RuleCode>,
    /// Where they signal.
    pub violations: Vec<Violation>,
}

/// Dependence of neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Autocorrelation {
    /// Correlation of neighbours.
    pub lag1: f64,
}

/// Quantiles by Hyndman & Fan's seventh method.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// Median.
    pub p50: f64,
    /// 90 % lie below.
    pub p90: f64,
    /// 95 % lie below.
    pub p95: f64,
    /// 99 % lie below.
    pub p99: f64,
}

/// One plotted point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// 0-based position in the analyzed order.
    pub i: usize,
    /// When it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub t: Option<Timestamp>,
    /// The plotted value; on a CUSUM chart the upper sum.
    pub x: f64,
    /// On a CUSUM chart the lower sum, at or below 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// The rules that signal at this point.
    pub rules: Vec<RuleCode>,
    /// The rules whose pattern it belongs to.
    pub member_of: Vec<RuleCode>,
    /// Position of the (first) measurement in its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_index: Option<usize>,
}

impl Analysis {
    /// The frozen limits of this study, for a later phase II; `None` if nothing was estimated, or if each of several stages
    /// has limits of its own.
    #[must_use]
    pub fn baseline(&self) -> Option<Baseline> {
        let drawing = self.drawing.as_ref().filter(|_| self.stages.len() < 2)?;
        Some(Baseline {
            group: self.group.clone(),
            metric: self.metric.clone(),
            n: drawing.chart.points.len(),
            standards: drawing.chart.standards,
        })
    }
}
