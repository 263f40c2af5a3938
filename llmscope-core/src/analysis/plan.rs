//! The settings of an analysis.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Series, Stages};
use crate::capability::SpecificationLimits;
use crate::chart::cusum::Cusum;
use crate::chart::ewma::Ewma;
use crate::chart::{ChartKind, Standards, moving_average};
use crate::error::{Error, Location, Result};
use crate::metric::TpotDefinition;
use crate::objective::Objective;
use crate::rules::RuleSet;
use crate::sample::Missing;
use crate::sigma::SigmaEstimator;
use crate::transform::Transform;

/// The settings of an analysis: the chart, the origin of its limits, and the rules.
///
/// ```
/// use llmscope_core::{ChartKind, Plan, analysis::Series, analyze};
///
/// let plan = Plan { chart: Some(ChartKind::Ewma), ..Plan::default() };
/// let values: Vec<f64> = (0..30).map(|i| 10.0 + f64::from(i * 7 % 5)).collect();
/// let analysis = analyze(&Series::of_numbers("ttft_s", values), &plan)?;
/// assert_eq!(analysis.chart, ChartKind::Ewma);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The chart. By default, an individuals chart, or a p chart for the error rate.
    pub chart: Option<ChartKind>,
    /// How measurements form subgroups (X̄ charts), or requests form blocks (error rate).
    pub subgroups: Option<Grouping>,
    /// The sample size or area of opportunity of a chart of counts.
    pub size: Option<Grouping>,
    /// The rules.
    pub rules: RuleSet,
    /// Weight and limit width of an EWMA chart.
    pub ewma: Ewma,
    /// Allowance, decision interval and head start of a CUSUM chart.
    pub cusum: Cusum,
    /// The number of measurements in each mean of a moving average chart.
    pub span: usize,
    /// The transformation of single measurements. It does not apply to the p chart that the error rate has by default.
    pub transform: Transform,
    /// The estimator of the within sigma; by default, the one of the chart.
    pub estimator: Option<SigmaEstimator>,
    /// The origin of the limits.
    pub origin: Origin,
    /// The stages, if the limits are estimated from all of the data.
    pub stages: Stages,
    /// Specification limits.
    pub specification: Option<SpecificationLimits>,
    /// How gaps are handled; by default, as the kind of log suggests.
    pub missing: Option<Missing>,
    /// Confidence level of the intervals.
    pub confidence: f64,
    /// Whether the report lists every point.
    pub points: bool,
    /// The chance that a call says that something changed although nothing did.
    pub alpha: f64,
    /// The number of series of the call, which share alpha ([`super::answer::family_of`]).
    pub family: usize,
    /// Whether single slow requests make a series changed. They then have a share of alpha, if the logarithms of the values
    /// are normal.
    pub slow_requests: bool,
    /// Objectives of the requests and of the runs.
    pub objectives: Vec<Objective>,
    /// Whether the answer is computed. The limits of the last stage need it in any case. Without it, the verdict is
    /// [`NotEnoughData`](super::SeriesVerdict::NotEnoughData), and objectives are not judged.
    pub answers: bool,
}

impl Default for Plan {
    /// An individuals chart with limits from its own data, judged by Nelson's eight rules.
    fn default() -> Self {
        Self {
            chart: None,
            subgroups: None,
            size: None,
            rules: RuleSet::nelson(),
            ewma: Ewma::default(),
            cusum: Cusum::default(),
            span: moving_average::SPAN,
            transform: Transform::None,
            estimator: None,
            origin: Origin::default(),
            stages: Stages::One,
            specification: None,
            missing: None,
            confidence: 0.95,
            points: false,
            alpha: super::answer::ALPHA,
            family: 1,
            slow_requests: false,
            objectives: Vec::new(),
            answers: true,
        }
    }
}

impl Plan {
    /// True if the limits are those of the last stage, because nothing else was requested.
    pub(super) fn takes_last_stage(&self) -> bool {
        let is_plain = self.chart.is_none() && self.subgroups.is_none() && self.estimator.is_none();
        self.origin == Origin::LastStage && is_plain && self.transform == Transform::None && self.stages == Stages::One
    }
}

/// How measurements are grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// By number: this many consecutive measurements.
    Every(usize),
    /// By the values of a column.
    Column(String),
}

/// The origin of control limits.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Origin {
    /// Phase I: estimated from the data.
    #[default]
    Data,
    /// Phase I: estimated from the last stage that the answer finds, without its outliers, and from logarithms if the
    /// measurements are durations ([`Basis`](super::Basis)). An individuals chart has such limits unless the plan names a
    /// chart, subgroups, a transformation, an estimator or stages. All other charts have the limits of [`Origin::Data`].
    LastStage,
    /// Phase II: estimated from these points of the data; the other points are monitored.
    FirstPoints(Range<usize>),
    /// Phase II: frozen by a previous study of each series.
    Baseline(Vec<Baseline>),
    /// Phase II: given limits. A chart of counts needs only the center.
    Given {
        /// The center line, in the unit of the measurements.
        center: f64,
        /// Sigma of a single measurement; with a transformation, sigma of the transformed measurement.
        sigma: Option<f64>,
    },
}

impl Origin {
    /// True if the limits are estimated from the judged data (phase I).
    ///
    /// ```
    /// use llmscope_core::analysis::Origin;
    ///
    /// assert!(Origin::Data.is_of_these_data());
    /// assert!(!Origin::FirstPoints(0..100).is_of_these_data());
    /// ```
    #[must_use]
    pub const fn is_of_these_data(&self) -> bool {
        matches!(self, Self::Data | Self::LastStage)
    }
}

/// Parses the points from which limits are estimated: the first `N`, or a range `A..B` of 0-based positions.
///
/// # Errors
/// [`Error::Parameter`] for any other text, and for an empty range.
///
/// ```
/// use llmscope_core::analysis::point_range;
///
/// assert_eq!(point_range("100")?, 0..100);
/// assert_eq!(point_range("50..100")?, 50..100);
/// assert!(point_range("9..9").is_err());
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn point_range(text: &str) -> Result<Range<usize>> {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let range = match text.split_once("..") {
        Some((start, end)) => number(start).zip(number(end)).map(|(start, end)| start..end),
        None => number(text).map(|end| 0..end),
    };
    range.filter(|range| !range.is_empty()).ok_or_else(|| Error::Parameter {
        name: "phase1",
        value: text.to_owned(),
        expected: "a number of points above 0, or a range A..B of 0-based positions",
    })
}

/// The limits that a phase I study froze for one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The group of the study.
    pub group: std::collections::BTreeMap<String, String>,
    /// The metric or column.
    pub metric: String,
    /// The definition of the values, if they are times per token; absent for definition 1.
    #[serde(default, skip_serializing_if = "TpotDefinition::is_first")]
    pub tpot_definition: TpotDefinition,
    /// The number of points on which the limits are based.
    pub n: usize,
    /// The frozen limits.
    pub standards: Standards,
}

const BASELINE_SCHEMA: &str = "llmscope.baseline/1";
/// The version for transformed limits. Readers that ignore transformations must not read such a file as version 1.
const SCALED_BASELINE_SCHEMA: &str = "llmscope.baseline/2";

/// The file format of frozen limits.
#[derive(Serialize, Deserialize)]
struct BaselineFile {
    schema: String,
    baselines: Vec<Baseline>,
}

impl Baseline {
    /// True if the limits are those of the metric and group of this series, in any definition.
    #[must_use]
    pub fn names(&self, series: &Series) -> bool {
        self.metric == series.measure.name() && self.group == series.group
    }

    /// True if the limits apply to the values of this series.
    #[must_use]
    pub fn applies_to(&self, series: &Series) -> bool {
        self.names(series) && series.definition().is_none_or(|definition| definition == self.tpot_definition)
    }

    /// Reads the output of [`Baseline::to_json`]; `source` names it in messages.
    ///
    /// # Errors
    /// [`Error::Format`] for any other text.
    ///
    /// ```
    /// use llmscope_core::analysis::{Baseline, Series};
    /// use llmscope_core::{Plan, analyze};
    ///
    /// let values: Vec<f64> = (0..30).map(|i| 10.0 + f64::from(i * 7 % 5)).collect();
    /// let studied = analyze(&Series::of_numbers("ttft_s", values), &Plan::default())?;
    /// let text = Baseline::to_json(&[studied.baseline().unwrap()])?;
    /// assert_eq!(Baseline::read("limits.json", &text)?[0].metric, "ttft_s");
    /// assert!(Baseline::read("limits.json", "{}").is_err());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn read(source: &str, text: &str) -> Result<Vec<Self>> {
        let refuse = |line: Option<u64>, problem: String| {
            let location = Location { line, ..Location::of(source) };
            Error::Format { location, problem, fix: "save the limits of an analysis as a baseline again".to_owned() }
        };
        let file: BaselineFile = serde_json::from_str(text)
            .map_err(|error| refuse(Some(error.line() as u64), format!("not a baseline file: {error}")))?;
        if ![BASELINE_SCHEMA, SCALED_BASELINE_SCHEMA].contains(&file.schema.as_str()) {
            return Err(refuse(None, format!("unknown schema \"{}\": expected {BASELINE_SCHEMA}", file.schema)));
        }
        for baseline in file.baselines.iter().filter(|baseline| baseline.standards.within.is_some()) {
            let limits = baseline.standards.limits_of_single_measurements();
            limits.map_err(|error| refuse(None, format!("{} of {:?}: {error}", baseline.metric, baseline.group)))?;
        }
        Ok(file.baselines)
    }

    /// Writes the limits of several studies as JSON.
    ///
    /// # Errors
    /// [`Error::NotEnoughData`] without baselines.
    pub fn to_json(baselines: &[Self]) -> Result<String> {
        if baselines.is_empty() {
            return Err(Error::NotEnoughData { what: "a baseline (control charts)", have: 0, need: 1 });
        }
        let is_scaled = baselines.iter().any(|baseline| baseline.standards.transform.is_some());
        let schema = if is_scaled { SCALED_BASELINE_SCHEMA } else { BASELINE_SCHEMA };
        let file = BaselineFile { schema: schema.to_owned(), baselines: baselines.to_vec() };
        let text = serde_json::to_string_pretty(&file);
        text.map(|text| text + "\n").map_err(|error| Error::Render { message: error.to_string() })
    }
}
