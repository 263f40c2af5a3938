//! Analysis of a series: the result that the command line, the reports, the server and Python share.

pub mod answer;
mod columns;
mod contradictions;
mod definitions;
mod downsample;
mod false_alarm;
mod guess;
mod judging;
mod last_stage;
mod meaning;
mod outliers;
mod plan;
mod run_chart;
mod run_order;
mod scale;
mod selected;
mod selection;
mod series;
mod stage;
mod study;
mod warnings;
mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::measure::Measure;
pub use answer::{Answer, Direction, RankedAnswer, SeriesVerdict};
pub use columns::{ColumnReport, ColumnUse, check_one_kind, columns_of_series};
pub use downsample::downsample;
pub use false_alarm::FalseAlarm;
pub use guess::{Guess, GuessedMeaning};
pub(crate) use judging::charted;
pub use judging::{MIN_POINTS, analyze};
pub use last_stage::Basis;
pub use plan::{Baseline, Grouping, Origin, Plan, point_range};
pub use run_chart::chart_of_runs;
pub(crate) use run_order::RunOrder;
pub use selected::{LogSource, SelectedSeries};
pub use selection::{Selection, SeriesBuilder, SourceLog};
pub use series::{Observation, Observations, SampleIndex, Series};
pub use stage::{Stage, Stages};
pub use study::{Component, Run, Study, runs_of, study};
pub use warnings::far_limits;
pub use words::{MOST_VIOLATIONS, index};

use crate::capability::{Capability, ExpectedPpm, NonNormal, Performance, SpecificationLimits};
use crate::chart::cusum::Shift;
use crate::chart::{Chart, ChartKind, Phase};
use crate::ingest::Time;
use crate::limits::{ControlLimits, Line};
use crate::metric::{TpotDefinition, Unit};
use crate::rules::{Judgement, RuleCode, RuleSet, Violation};
use crate::sigma::SigmaEstimator;
use crate::stats::Normality;
use crate::transform::PowerTransform;

/// The schema version of the reports that this crate writes.
pub const REPORT_SCHEMA: &str = "llmscope.report/2";

/// A report: analyses with their schema version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "LLMscope report")]
#[non_exhaustive]
pub struct Report {
    /// The schema version: `llmscope.report/2`.
    pub schema: String,
    /// The time at which the report was generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub generated_at: Option<Timestamp>,
    /// The chance that a call says `changed` or `failing` in any series although nothing changed.
    pub alpha: f64,
    /// The number of series that share alpha.
    pub comparisons: usize,
    /// Whether the answers or the rules decide.
    pub decided_by: DecidedBy,
    /// The answers about the series, the most urgent one first.
    pub answers: Vec<RankedAnswer>,
    /// One analysis for each group and metric.
    pub analyses: Vec<Analysis>,
    /// One study for each metric over several runs, if the analyses are grouped by session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub studies: Vec<Study>,
    /// The columns of the input: what they mean, the source of that meaning, and what was done with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnReport>,
}

impl Report {
    /// Creates a report of the analyses of one call, which shared the alpha of this plan.
    #[must_use]
    pub fn new(generated_at: Option<Timestamp>, plan: &Plan, analyses: Vec<Analysis>) -> Self {
        Self {
            schema: REPORT_SCHEMA.to_owned(),
            generated_at,
            alpha: plan.alpha,
            comparisons: plan.family,
            decided_by: DecidedBy::default(),
            answers: answer::ranked(&analyses),
            analyses,
            studies: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// Adds the columns of the input to the report.
    #[must_use]
    pub fn with_columns(self, columns: Vec<ColumnReport>) -> Self {
        Self { columns, ..self }
    }

    /// Adds studies of several runs to the report.
    #[must_use]
    pub fn with_studies(self, studies: Vec<Study>) -> Self {
        Self { studies, ..self }
    }

    /// Sets whether the answers or the rules decide.
    #[must_use]
    pub fn decided_by(self, decided_by: DecidedBy) -> Self {
        Self { decided_by, ..self }
    }

    /// True if a series is failing, or changed for the worse, or in any direction if `any_change`.
    #[must_use]
    pub fn has_changes(&self, any_change: bool) -> bool {
        self.analyses.iter().any(|analysis| match analysis.verdict {
            SeriesVerdict::Failing => true,
            SeriesVerdict::Changed => any_change || analysis.answer.direction.is_none_or(Direction::counts_as_worse),
            SeriesVerdict::Stable | SeriesVerdict::NotEnoughData => false,
        })
    }

    /// True if the requests of a series miss an objective.
    #[must_use]
    pub fn misses_an_objective(&self) -> bool {
        self.analyses.iter().any(|analysis| analysis.answer.misses_an_objective())
    }

    /// True if at least one series had enough data for a verdict.
    #[must_use]
    pub fn has_verdict(&self) -> bool {
        self.analyses.iter().any(|analysis| analysis.verdict != SeriesVerdict::NotEnoughData)
    }

    /// True if a rule signals in any analysis, or on the chart of the run means of a study.
    #[must_use]
    pub fn has_signals(&self) -> bool {
        self.patterns().any(|verdict| verdict == Verdict::OutOfControl)
    }

    /// True if the rules could judge at least one series or study.
    #[must_use]
    pub fn has_judged_patterns(&self) -> bool {
        self.patterns().any(|verdict| verdict != Verdict::NotEnoughData)
    }

    fn patterns(&self) -> impl Iterator<Item = Verdict> {
        let analyses = self.analyses.iter().map(|analysis| analysis.patterns.verdict);
        analyses.chain(self.studies.iter().map(|study| study.verdict))
    }

    /// The JSON Schema of a report.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Report).to_value()
    }
}

/// What decides about a report: its exit status and its first screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The answers: which series changed.
    #[default]
    Changes,
    /// The rules on the charts.
    Rules,
}

/// Whether the rules signal on a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No rule signals.
    InControl,
    /// At least one rule signals, or the level changes.
    OutOfControl,
    /// There are too few points to judge.
    NotEnoughData,
}

impl Verdict {
    /// The verdict on a chart that was judged.
    ///
    /// ```
    /// use llmscope_core::Verdict;
    ///
    /// assert_eq!(Verdict::of(true), Verdict::InControl);
    /// assert_eq!(Verdict::of(false).label(), "out of control");
    /// ```
    #[must_use]
    pub const fn of(is_in_control: bool) -> Self {
        if is_in_control { Self::InControl } else { Self::OutOfControl }
    }

    /// The verdict's name in files and in Python.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InControl => "in_control",
            Self::OutOfControl => "out_of_control",
            Self::NotEnoughData => "not_enough_data",
        }
    }

    /// The verdict's human-readable label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::InControl => "in control",
            Self::OutOfControl => "out of control",
            Self::NotEnoughData => "not enough data",
        }
    }
}

/// The patterns that the rules find on a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Patterns {
    /// Whether a rule signals.
    pub verdict: Verdict,
    /// Codes of the rules that were applied.
    pub rules: Vec<RuleCode>,
    /// The violations of these rules.
    pub violations: Vec<Violation>,
    /// For a CUSUM chart, the shifts behind its violations: when each began, and the mean since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<Shift>,
    /// How often these rules signal on stable series like this one; absent if the limits were requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_alarm: Option<FalseAlarm>,
}

/// The answer, chart, patterns and capability of one metric of one group. Fields that do not apply are absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Analysis {
    /// The files with the data.
    pub source: Vec<String>,
    /// The properties that the requests have in common.
    pub group: BTreeMap<String, String>,
    /// The metric or column.
    pub metric: String,
    /// Its unit.
    pub unit: Unit,
    /// The definition of the values, if they are times per token; absent for definition 1.
    #[serde(default, skip_serializing_if = "TpotDefinition::is_first")]
    pub tpot_definition: TpotDefinition,
    /// The verdict.
    pub verdict: SeriesVerdict,
    /// The answer: what changed, since when, by how much, and how far to trust it.
    pub answer: Answer,
    /// Number of measurements.
    pub n: usize,
    /// What was excluded.
    pub excluded: Excluded,
    /// The chart.
    pub chart: ChartKind,
    /// Phase I: limits estimated from these data; phase II: limits of a previous study.
    pub phase: Phase,
    /// Arithmetic mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// The transformation that was applied before judging. Sigma, capability, performance, expected ppm, normality,
    /// autocorrelation and the dispersion chart are those of the transformed measurements. Mean, median, quantiles,
    /// limits, points and observed ppm are in the unit of the metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<PowerTransform>,
    /// Within and overall sigma.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma: Option<SigmaReport>,
    /// Control limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<ControlLimits>,
    /// The stage from which limits, within sigma and capability come by default, and whose points the rules judge; absent if
    /// the limits are those of all points, or were requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// Stages, each with its own limits, if they were requested; one stage if no change of the level was found. A
    /// change that was found in the data, rather than given, is a signal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// The patterns that the rules find.
    pub patterns: Patterns,
    /// The number of points that a chart needs, if there are too few.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// The dispersion chart. Its signals are reported but do not set the verdict of an individuals chart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispersion: Option<Dispersion>,
    /// Specification limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specification: Option<SpecificationLimits>,
    /// Indices based on the within sigma.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capability: Option<Capability>,
    /// Indices based on the overall sigma.
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
    /// The share outside the specification limits that a normal distribution predicts, per million.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_ppm: Option<ExpectedPpm>,
    /// Anderson–Darling test of normality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normality: Option<Normality>,
    /// Autocorrelation; on a chart of single measurements, about the means of their stages. With a basis, it is that of ranks
    /// within the stages of the answer. With limits from the first points, it is that of these points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autocorrelation: Option<Autocorrelation>,
    /// Quantiles (Hyndman–Fan 7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<Quantiles>,
    /// Warnings: what to know before trusting the numbers.
    pub warnings: Vec<String>,
    /// Every point, if requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<Vec<Point>>,
    /// The data for drawing the chart.
    #[serde(skip)]
    #[schemars(skip)]
    pub drawing: Option<Drawing>,
}

/// The data from which an analysis was computed, for drawing the chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drawing {
    /// The chart.
    pub chart: Chart<'static>,
    /// The judgement of each of its points by the rules.
    pub judgement: Judgement,
    /// The rules.
    pub rules: RuleSet,
    /// The time of each point, if known; empty if no time is known.
    pub times: Vec<Time>,
}

impl Drawing {
    /// The times of the first and the last point, if both are known.
    #[must_use]
    pub fn time_span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.times.first()?.get()?, self.times.last()?.get()?))
    }

    /// The time of a point, if known.
    #[must_use]
    pub fn time(&self, point: usize) -> Option<Timestamp> {
        self.times.get(point).and_then(|time| time.get())
    }

    /// True if a plotted value is between the control limits of its point.
    #[must_use]
    pub fn is_inside(&self, point: usize, value: f64) -> bool {
        let limits = &self.chart.limits;
        (limits.lower.at(point)..=limits.upper.at(point)).contains(&value)
    }

    /// The smallest and the largest value of the points and the control limits; `None` without points.
    #[must_use]
    pub fn extent(&self) -> Option<(f64, f64)> {
        let Chart { points, limits, lower_points, .. } = &self.chart;
        let lines = [&limits.lower, &limits.upper].into_iter().filter_map(Line::extent);
        let points = points.iter().chain(lower_points.iter().flatten());
        points.map(|&x| (x, x)).chain(lines).reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
    }
}

/// Requests that were excluded from a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Excluded {
    /// Failed requests, which have no latency.
    pub failed: usize,
    /// Warm-up requests.
    pub warmup: usize,
    /// Requests without this metric.
    pub missing: usize,
    /// Requests with a value that the quantity cannot have, such as a duration below 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub out_of_bounds: usize,
    /// Requests whose value is not positive, and therefore cannot be transformed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_positive: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Within and overall sigma.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SigmaReport {
    /// The within sigma on which the limits are based.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    /// The estimator of the within sigma.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimator: Option<SigmaEstimator>,
    /// The sample standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overall: Option<f64>,
    /// Laney's σ_z: variation beyond the binomial or Poisson.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inflation: Option<f64>,
}

/// The dispersion chart of a chart of the level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Dispersion {
    /// The kind of chart: moving range, range or standard deviation.
    pub chart: ChartKind,
    /// Its control limits.
    pub limits: ControlLimits,
    /// Codes of the rules that were applied, which exclude zone rules.
    pub rules: Vec<RuleCode>,
    /// The violations of these rules.
    pub violations: Vec<Violation>,
}

/// Autocorrelation of successive measurements.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Autocorrelation {
    /// The lag-1 autocorrelation.
    pub lag1: f64,
}

/// Quantiles by Hyndman & Fan's seventh method.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Quantiles {
    /// Median.
    pub p50: f64,
    /// The 90 % quantile.
    pub p90: f64,
    /// The 95 % quantile.
    pub p95: f64,
    /// The 99 % quantile.
    pub p99: f64,
}

/// One plotted point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Point {
    /// 0-based position in the analyzed order.
    pub i: usize,
    /// The time of the measurement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub t: Option<Timestamp>,
    /// The plotted value; on a CUSUM chart, the upper sum.
    pub x: f64,
    /// On a CUSUM chart, the lower sum, which is at most 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// The rules that signal at this point.
    pub rules: Vec<RuleCode>,
    /// The rules with a violation that includes this point.
    pub member_of: Vec<RuleCode>,
    /// The position of the (first) measurement in its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_index: Option<usize>,
}

impl Analysis {
    /// The number of points that the rules judge: those of the last stage by default, all points otherwise.
    #[must_use]
    pub fn judged_points(&self) -> usize {
        let all = self.drawing.as_ref().map_or(0, |drawing| drawing.chart.points.len());
        self.basis.map_or(all, |basis| basis.last + 1 - basis.first)
    }

    /// The frozen limits of this analysis, for a later phase II. `None` if nothing was estimated, or if several stages
    /// have different limits.
    ///
    /// ```
    /// use llmscope_core::analysis::Series;
    /// use llmscope_core::{Plan, analyze};
    ///
    /// let values: Vec<f64> = (0..30).map(|i| 10.0 + f64::from(i * 7 % 5)).collect();
    /// let frozen = analyze(&Series::of_numbers("ttft_s", values), &Plan::default())?.baseline().unwrap();
    /// assert_eq!((frozen.metric.as_str(), frozen.n, frozen.standards.center), ("ttft_s", 30, 12.0));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn baseline(&self) -> Option<Baseline> {
        let drawing = self.drawing.as_ref().filter(|_| self.stages.len() < 2)?;
        Some(Baseline {
            group: self.group.clone().into_iter().filter(|(name, _)| name != TpotDefinition::ATTRIBUTE).collect(),
            metric: self.metric.clone(),
            tpot_definition: self.tpot_definition,
            n: self.basis.map_or(drawing.chart.points.len(), |basis| basis.n),
            standards: drawing.chart.standards,
        })
    }
}
