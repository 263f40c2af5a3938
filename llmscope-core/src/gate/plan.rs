//! The settings of a gate.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::{Measure, Series};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::objective::Objective;
use crate::quantity::number;
use crate::rules::RuleSet;
use crate::sample::Missing;

/// The settings of a gate: the allowed changes, the false-alarm rate, and the comparisons.
///
/// ```
/// use llmscope_core::gate::{GatePlan, Statistic};
///
/// // Only the typical request, and ten percent are allowed.
/// let plan = GatePlan { max_shift: 0.1, statistics: vec![Statistic::Typical], ..GatePlan::default() };
/// assert_eq!(plan.alpha, 0.01);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GatePlan {
    /// The largest allowed relative shift for the worse: 0.05 is five percent.
    pub max_shift: f64,
    /// The largest allowed increase of the error rate, and of the share that misses an objective: 0.01 is one of 100
    /// requests.
    pub max_share_increase: f64,
    /// The probability of failing an unchanged candidate, over all comparisons together.
    pub alpha: f64,
    /// The standard deviation between runs of one build, as a share of a value, if there are fewer than four runs to
    /// measure it; 0 restricts the answer to the runs that were measured. By default, 0.1 for latencies
    /// ([`Self::RUN_SD`]). For other quantities no usual value is known, and the answer is about the runs.
    pub run_sd: Option<f64>,
    /// The compared statistics of each metric.
    pub statistics: Vec<Statistic>,
    /// Objectives. Those of a request are compared as the share of requests that miss them; those of a run give a
    /// certificate of the candidate.
    pub objectives: Vec<Objective>,
    /// The rules on the baseline's frozen chart.
    pub rules: RuleSet,
    /// How gaps are handled; by default, as the kind of log suggests.
    pub missing: Option<Missing>,
}

impl Default for GatePlan {
    /// Five percent, one request of 100, one false alarm in 100 gates, runs that differ by ten percent; the typical
    /// request, p50, p90, p95, p99 and the error rate.
    fn default() -> Self {
        Self {
            max_shift: 0.05,
            max_share_increase: 0.01,
            alpha: 0.01,
            run_sd: None,
            statistics: Statistic::DEFAULT.to_vec(),
            objectives: Vec::new(),
            rules: RuleSet::nelson(),
            missing: None,
        }
    }
}

impl GatePlan {
    /// The standard deviation between runs of one build that is assumed for latencies: ten percent.
    pub const RUN_SD: f64 = 0.1;

    /// The standard deviation between runs that is assumed for a series.
    pub(super) fn assumed_run_sd(&self, series: &Series) -> f64 {
        let is_latency =
            series.meaning().role.is_duration() || series.measure == Measure::Metric(Metric::OutputTokensPerS);
        self.run_sd.unwrap_or(if is_latency { Self::RUN_SD } else { 0.0 })
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse = |name, value: f64, expected| Err(Error::Parameter { name, value: value.to_string(), expected });
        if !(0.0..1.0).contains(&self.max_shift) {
            return refuse("largest shift", self.max_shift, "at least 0 and below 1 (0.05 or 5% for five percent)");
        }
        if !(0.0..1.0).contains(&self.max_share_increase) {
            return refuse(
                "largest increase of a share",
                self.max_share_increase,
                "at least 0 and below 1 (0.01 or 1% for one percentage point)",
            );
        }
        if !(self.alpha > 0.0 && self.alpha <= 0.2) {
            return refuse("alpha", self.alpha, "a number above 0 and at most 0.2");
        }
        if let Some(sd) = self.run_sd.filter(|sd| !(0.0..1.0).contains(sd)) {
            return refuse(
                "standard deviation between runs",
                sd,
                "at least 0 and below 1 (0.1 or 10% for ten percent)",
            );
        }
        self.objectives.iter().try_for_each(|objective| match *objective {
            Objective::Request { limit, .. } if !(limit > 0.0 && limit.is_finite()) => {
                refuse("objective", limit, "a finite limit above 0")
            }
            _ => Ok(()),
        })
    }

    pub(super) fn objective(&self, metric: &str) -> Option<f64> {
        self.objectives.iter().find_map(|objective| match objective {
            Objective::Request { metric: own, limit } if own.name() == metric => Some(*limit),
            _ => None,
        })
    }
}

/// A figure that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub enum Statistic {
    /// Hodges and Lehmann's shift: the median of candidate/baseline over all pairs of requests.
    Typical,
    /// The quantile below which this share of the requests lies.
    Quantile(f64),
    /// The share of failed requests.
    ErrorRate,
    /// The share of requests that failed or took longer than the objective.
    MissedObjective,
}

impl Statistic {
    /// The statistics that are compared by default.
    pub const DEFAULT: [Self; 6] = [
        Self::Typical,
        Self::Quantile(0.5),
        Self::Quantile(0.9),
        Self::Quantile(0.95),
        Self::Quantile(0.99),
        Self::ErrorRate,
    ];

    /// True for shares, which are compared by difference; false for latencies and the like, which are compared by
    /// ratio.
    ///
    /// ```
    /// use llmscope_core::gate::Statistic;
    ///
    /// assert!(Statistic::ErrorRate.is_share());
    /// assert!(!"p99".parse::<Statistic>()?.is_share());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub const fn is_share(self) -> bool {
        matches!(self, Self::ErrorRate | Self::MissedObjective)
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typical => f.write_str("typical"),
            Self::Quantile(p) => {
                let percent = number(p * 100.0);
                write!(
                    f,
                    "p{}",
                    if percent.contains('.') { percent.trim_end_matches('0').trim_end_matches('.') } else { &percent }
                )
            }
            Self::ErrorRate => f.write_str("error_rate"),
            Self::MissedObjective => f.write_str("missed_objective"),
        }
    }
}

impl From<Statistic> for String {
    fn from(statistic: Statistic) -> Self {
        statistic.to_string()
    }
}

impl TryFrom<String> for Statistic {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        name.parse()
    }
}

impl FromStr for Statistic {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let quantile = || {
            let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
            (percent > 0.0 && percent < 100.0).then_some(Self::Quantile(percent / 100.0))
        };
        match name {
            "typical" => Ok(Self::Typical),
            "error_rate" => Ok(Self::ErrorRate),
            "missed_objective" => Ok(Self::MissedObjective),
            _ => quantile().ok_or_else(|| Error::Unknown {
                what: "statistic",
                name: name.to_owned(),
                expected: "typical, error_rate, missed_objective, or a quantile such as p50, p95, p99.9".to_owned(),
            }),
        }
    }
}
