//! Is a candidate worse than a baseline? Shifts with intervals, decided at a guaranteed false-alarm rate.
//!
//! A *comparison* is one figure of one metric of one group: the typical request, a quantile, the error rate, or the
//! share of requests that miss an objective. Its interval contains the true shift. The candidate is *worse* if the
//! whole interval is beyond the allowed change, and *not worse* if none of it is; otherwise the data cannot decide. The
//! probability that a gate fails although nothing has changed is at most [`GatePlan::alpha`], for any number of
//! comparisons.

mod chart;
mod family;
mod pairing;
mod plan;
mod requests;
mod share;
mod shift;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use chart::FrozenChart;
pub use plan::{GatePlan, Objective, Statistic};

use crate::analysis::{Excluded, Quantiles, Series};
use crate::error::Result;
use crate::metric::Unit;

/// The schema version of the gate's results that this crate writes.
pub const GATE_SCHEMA: &str = "llmscope.gate/1";

/// The result: whether the candidate is worse, and the comparisons behind the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "LLMscope gate")]
pub struct Gate {
    /// The schema version: `llmscope.gate/1`.
    pub schema: String,
    /// The time of the comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub generated_at: Option<Timestamp>,
    /// Whether the candidate passes.
    pub verdict: GateVerdict,
    /// The decisive comparison, in one line.
    pub headline: String,
    /// The guaranteed upper bound of the probability of failing an unchanged candidate.
    pub alpha: f64,
    /// The number of comparisons that share alpha.
    pub family: usize,
    /// The probability that an end of one interval is wrong: alpha / family.
    pub level: f64,
    /// One pair for each group and metric.
    pub pairs: Vec<Pair>,
    /// Groups and metrics that only one side has, and other warnings.
    pub warnings: Vec<String>,
}

impl Gate {
    /// The JSON Schema of the result.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Gate).to_value()
    }

    /// All comparisons, each with its metric and group.
    pub fn comparisons(&self) -> impl Iterator<Item = (&Pair, &Comparison)> + '_ {
        self.pairs.iter().flat_map(|pair| pair.comparisons.iter().map(move |comparison| (pair, comparison)))
    }
}

/// Whether a candidate passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// No comparison is worse, and each metric of each group has at least one decided comparison.
    Pass,
    /// At least one comparison is worse.
    Fail,
    /// No comparison is worse, but some metric has no decided comparison.
    NotEnoughData,
}

/// The decision about one comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The whole interval is beyond the allowed change.
    Worse,
    /// No part of the interval is beyond the allowed change.
    NotWorse,
    /// Part of the interval is beyond the allowed change: the data are compatible with both.
    CannotTell,
    /// There are too few requests for an interval.
    NotEnoughData,
}

/// An interval, open at an end that the data do not bound. It is written as `[lower, upper]`, with null for an open
/// end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "[Option<f64>; 2]", from = "[Option<f64>; 2]")]
#[schemars(with = "[Option<f64>; 2]")]
pub struct Bounded {
    /// Its lower end.
    pub lower: Option<f64>,
    /// Its upper end.
    pub upper: Option<f64>,
}

impl From<Bounded> for [Option<f64>; 2] {
    fn from(bounds: Bounded) -> Self {
        [bounds.lower, bounds.upper]
    }
}

impl From<[Option<f64>; 2]> for Bounded {
    fn from([lower, upper]: [Option<f64>; 2]) -> Self {
        Self { lower, upper }
    }
}

/// One metric of one group on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// The properties that the baseline's requests have in common.
    pub group: BTreeMap<String, String>,
    /// The properties of the candidate's requests, if they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate_group: Option<BTreeMap<String, String>>,
    /// The metric or column.
    pub metric: String,
    /// Its unit.
    pub unit: Unit,
    /// True for a metric for which less is worse, such as tokens per second.
    pub less_is_worse: bool,
    /// The baseline.
    pub baseline: Side,
    /// The candidate.
    pub candidate: Side,
    /// The comparisons.
    pub comparisons: Vec<Comparison>,
    /// Mann and Whitney's test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_test: Option<RankTest>,
    /// The candidate on the baseline's frozen control chart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<FrozenChart>,
    /// The objective of this metric, if the plan has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<f64>,
    /// Warnings: what to know before trusting the numbers.
    pub warnings: Vec<String>,
}

/// The measurements of one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The files with the measurements.
    pub source: Vec<String>,
    /// The number of measurements.
    pub n: usize,
    /// What was excluded.
    pub excluded: Excluded,
    /// The number of independent measurements that carry the same information about the typical one.
    pub effective: f64,
    /// Quantiles (Hyndman–Fan 7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<Quantiles>,
}

/// One figure of the candidate, compared with the baseline's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The figure.
    pub statistic: Statistic,
    /// The baseline's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// The candidate's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<f64>,
    /// candidate/baseline − 1; absent for shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift: Option<f64>,
    /// The interval of the true shift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift_interval: Option<Bounded>,
    /// candidate − baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// The interval of the true difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference_interval: Option<Bounded>,
    /// The largest allowed shift (negative if less is worse), or the largest allowed difference of a share.
    pub allowed: f64,
    /// The decision.
    pub decision: Decision,
    /// The smallest shift, or difference of a share, that data like these detect as worse four times out of five.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimal_detectable: Option<f64>,
    /// The approximate number of requests per side for a decision: for an interval to exist, or to detect a shift of
    /// twice the allowed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// The reason for a missing interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Mann and Whitney's test of whether one side's values tend to be larger.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RankTest {
    /// The number of pairs in which the candidate's value is larger; a tie counts one half.
    pub u: f64,
    /// The probability that a value of the candidate exceeds one of the baseline.
    pub superiority: f64,
    /// Two-sided p-value, with the variance increased by the autocorrelation.
    pub p: f64,
}

/// Compares the series of a candidate with those of a baseline that have the same group and metric. If each side has
/// only one group, the two groups are compared even if their names differ.
///
/// ```
/// use llmscope_core::analysis::Selection;
/// use llmscope_core::gate::{GatePlan, GateVerdict, gate};
/// use llmscope_core::ingest;
///
/// let table = |from: u32| (0..400).fold("ttft_s\n".to_owned(), |text, i| format!("{text}0.{}\n", from + i * 7 % 100));
/// let series = |text: &str| Selection::default().series([&ingest::read("run.csv", text.as_bytes(), None)?]);
/// let answer = gate(&series(&table(300))?, &series(&table(400))?, &GatePlan::default())?;
/// assert_eq!(answer.verdict, GateVerdict::Fail);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
///
/// # Errors
/// The errors of reading the values ([`Series::sample`]) and of a plan out of range, and
/// [`Error::Unknown`](crate::Error::Unknown) if the sides have no group in common. Too few data are not an error: the
/// verdict reports them.
pub fn gate(baseline: &[Series], candidate: &[Series], plan: &GatePlan) -> Result<Gate> {
    plan.check()?;
    let matched = pairing::matched(baseline, candidate)?;
    let mut drafts = Vec::new();
    for couple in &matched.couples {
        drafts.extend(shift::Draft::of(couple, plan)?);
    }
    let errors: Vec<share::Draft<'_>> =
        matched.groups.iter().filter_map(|couple| share::Draft::errors(couple, plan)).collect();
    let feasible = |level: f64| {
        let latencies: usize = drafts.iter().map(|draft| draft.feasible(level)).sum();
        latencies + errors.len()
    };
    let planned = drafts.iter().map(shift::Draft::planned).sum::<usize>() + errors.len();
    let family = family::size(planned, plan.alpha, feasible);
    let level = plan.alpha / crate::cast::float(family);
    let mut pairs = Vec::new();
    for draft in drafts {
        pairs.push(draft.judged(plan, level)?);
    }
    pairs.extend(errors.into_iter().map(|draft| draft.judged(plan, level)));
    let verdict = family::verdict(&pairs);
    let mut gate = Gate {
        schema: GATE_SCHEMA.to_owned(),
        generated_at: None,
        verdict,
        headline: String::new(),
        alpha: plan.alpha,
        family,
        level,
        pairs,
        warnings: matched.warnings,
    };
    gate.headline = gate.headline_of();
    Ok(gate)
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline)
    }
}
