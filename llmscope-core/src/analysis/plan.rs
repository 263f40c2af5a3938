//! How a series is to be judged.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Stages;
use crate::capability::SpecificationLimits;
use crate::chart::cusum::Cusum;
use crate::chart::ewma::Ewma;
use crate::chart::{ChartKind, Standards, moving_average};
use crate::error::{Error, Location, Result};
use crate::rules::RuleSet;
use crate::sample::Missing;
use crate::sigma::SigmaEstimator;
use crate::transform::Transform;

/// How a series is to be judged: which chart, whose limits, which rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The chart; without one, individuals, or p for the error rate.
    pub chart: Option<ChartKind>,
    /// How subgroups are formed (X̄ charts), or requests are counted together (error rate).
    pub subgroups: Option<Grouping>,
    /// Sample size or area of opportunity of a chart of counts.
    pub size: Option<Grouping>,
    /// The rules.
    pub rules: RuleSet,
    /// Weight and width of an EWMA chart.
    pub ewma: Ewma,
    /// Allowance, decision interval and head start of a CUSUM chart.
    pub cusum: Cusum,
    /// Measurements in each mean of a moving average chart.
    pub span: usize,
    /// The scale that single measurements are judged on. A chart of failures, which nobody asked for by its name, has
    /// none.
    pub transform: Transform,
    /// The estimator of the within sigma, if not the chart's own.
    pub estimator: Option<SigmaEstimator>,
    /// Where the limits come from.
    pub origin: Origin,
    /// Where limits of their own begin, if limits are from the data.
    pub stages: Stages,
    /// Specification limits.
    pub specification: Option<SpecificationLimits>,
    /// What a gap means, if not what the kind of log suggests.
    pub missing: Option<Missing>,
    /// Confidence level of the intervals.
    pub confidence: f64,
    /// Whether the report lists every point.
    pub points: bool,
}

impl Default for Plan {
    /// An individuals chart of its own data, judged by Nelson's eight rules.
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
        }
    }
}

/// How measurements are taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// So many, one after the other.
    Every(usize),
    /// By the values of a column.
    Column(String),
}

/// Where control limits come from.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Origin {
    /// Phase I: from the data themselves.
    #[default]
    Data,
    /// Phase II: from these points of the data; the rest is monitored.
    FirstPoints(Range<usize>),
    /// Phase II: frozen by an earlier study of each series.
    Baseline(Vec<Baseline>),
    /// Phase II: standards given. A chart of counts needs the center only.
    Given {
        /// The center line, in the unit of the measurements.
        center: f64,
        /// Sigma of a single measurement; of its logarithm, if that is judged.
        sigma: Option<f64>,
    },
}

/// Reads which points limits come from: the first `N`, or a range `A..B` of 0-based positions.
///
/// # Errors
/// [`Error::Parameter`] for anything else, and for no points at all.
pub fn point_range(text: &str) -> Result<Range<usize>> {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let range = match text.split_once("..") {
        Some((start, end)) => number(start).zip(number(end)).map(|(start, end)| start..end),
        None => number(text).map(|end| 0..end),
    };
    range.filter(|range| !range.is_empty()).ok_or_else(|| Error::Parameter {
        name: "phase1",
        value: text.to_owned(),
        expected: "a number of points, or a range A..B of 0-based positions",
    })
}

/// Limits that a phase I study froze for one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The group that was studied.
    pub group: std::collections::BTreeMap<String, String>,
    /// The metric or column.
    pub metric: String,
    /// How many points it stands on.
    pub n: usize,
    /// The frozen limits.
    pub standards: Standards,
}

const BASELINE_SCHEMA: &str = "llmscope.baseline/1";
/// Of limits on another scale than that of the measurements: who does not know of scales must not read them.
const SCALED_BASELINE_SCHEMA: &str = "llmscope.baseline/2";

/// Frozen limits as they are kept in a file.
#[derive(Serialize, Deserialize)]
struct BaselineFile {
    schema: String,
    baselines: Vec<Baseline>,
}

impl Baseline {
    /// Reads what [`Baseline::to_json`] wrote; `source` names it in messages.
    ///
    /// # Errors
    /// [`Error::Format`] for anything else.
    pub fn read(source: &str, text: &str) -> Result<Vec<Self>> {
        let refuse = |line: Option<u64>, problem: String| {
            let location = Location { line, ..Location::of(source) };
            Error::Format { location, problem, fix: "make a baseline with --save-baseline".to_owned() }
        };
        let file: BaselineFile = serde_json::from_str(text)
            .map_err(|error| refuse(Some(error.line() as u64), format!("not a baseline: {error}")))?;
        if ![BASELINE_SCHEMA, SCALED_BASELINE_SCHEMA].contains(&file.schema.as_str()) {
            return Err(refuse(None, format!("schema \"{}\" is not {BASELINE_SCHEMA}", file.schema)));
        }
        for baseline in file.baselines.iter().filter(|baseline| baseline.standards.within.is_some()) {
            let limits = baseline.standards.limits_of_single_measurements();
            limits.map_err(|error| refuse(None, format!("{} of {:?}: {error}", baseline.metric, baseline.group)))?;
        }
        Ok(file.baselines)
    }

    /// The limits of several studies, to be kept in a file.
    ///
    /// # Errors
    /// [`Error::NotEnoughData`] if there are none.
    pub fn to_json(baselines: &[Self]) -> Result<String> {
        if baselines.is_empty() {
            return Err(Error::NotEnoughData { what: "a baseline (studies with limits)", have: 0, need: 1 });
        }
        let is_scaled = baselines.iter().any(|baseline| baseline.standards.transform.is_some());
        let schema = if is_scaled { SCALED_BASELINE_SCHEMA } else { BASELINE_SCHEMA };
        let file = BaselineFile { schema: schema.to_owned(), baselines: baselines.to_vec() };
        let text = serde_json::to_string_pretty(&file);
        text.map(|text| text + "\n").map_err(|error| Error::Render { message: error.to_string() })
    }
}
