//! Is a candidate worse than a baseline? Shifts with intervals, decided at a promised false-alarm rate.
//!
//! A *comparison* is one figure of one metric of one group: the typical request, a quantile, the error rate, the share of
//! requests that miss an objective. Its interval says where the true shift lies; the candidate is *worse* if all of the
//! interval lies beyond what is allowed, *not worse* if none of it does, and otherwise nobody can tell. The chance that a gate
//! with any number of comparisons fails though nothing has changed is at most [`GatePlan::alpha`].

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

/// The version of the gate's answer that this crate writes.
pub const GATE_SCHEMA: &str = "llmscope.gate/1";

/// The answer: whether the candidate is worse, and what that rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "LLMscope gate")]
pub struct Gate {
    /// The version of the format: `llmscope.gate/1`.
    pub schema: String,
    /// When the comparison was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub generated_at: Option<Timestamp>,
    /// Whether the candidate may pass.
    pub verdict: GateVerdict,
    /// The comparison that decided, in one line.
    pub headline: String,
    /// The promised chance of failing a candidate that has not changed.
    pub alpha: f64,
    /// Comparisons that share this chance.
    pub family: usize,
    /// The chance that an end of one interval is wrong: alpha / family.
    pub level: f64,
    /// One for each group and metric.
    pub pairs: Vec<Pair>,
    /// Groups and metrics that only one side has, and what else a reader should know.
    pub warnings: Vec<String>,
}

impl Gate {
    /// The JSON Schema of the answer.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Gate).to_value()
    }

    /// All comparisons, each with the metric and group that it belongs to.
    pub fn comparisons(&self) -> impl Iterator<Item = (&Pair, &Comparison)> + '_ {
        self.pairs.iter().flat_map(|pair| pair.comparisons.iter().map(move |comparison| (pair, comparison)))
    }
}

/// Whether a candidate may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// Nothing is worse, and of every metric of every group something could be decided.
    Pass,
    /// Something is worse.
    Fail,
    /// Nothing is worse as far as can be told, but of some metric nothing could be decided.
    NotEnoughData,
}

/// What is decided about one comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// All of the interval lies beyond what is allowed.
    Worse,
    /// None of it does.
    NotWorse,
    /// Some of it does: the data leave both possible.
    CannotTell,
    /// There is no interval: too few requests for it.
    NotEnoughData,
}

/// An interval that may be open where the data set no bound, written as `[lower, upper]`, with null for no bound.
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
    /// What the baseline's requests have in common.
    pub group: BTreeMap<String, String>,
    /// What the candidate's have, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate_group: Option<BTreeMap<String, String>>,
    /// The metric or column.
    pub metric: String,
    /// Its unit.
    pub unit: Unit,
    /// True for a metric of which less is worse: tokens per second.
    pub less_is_worse: bool,
    /// The baseline.
    pub baseline: Side,
    /// The candidate.
    pub candidate: Side,
    /// What is compared.
    pub comparisons: Vec<Comparison>,
    /// Mann and Whitney's test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_test: Option<RankTest>,
    /// The candidate on the baseline's frozen control chart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<FrozenChart>,
    /// The objective of this metric, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<f64>,
    /// What a reader should know before trusting the numbers.
    pub warnings: Vec<String>,
}

/// The measurements of one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The files that they come from.
    pub source: Vec<String>,
    /// Number of measurements.
    pub n: usize,
    /// What was left out.
    pub excluded: Excluded,
    /// As many independent measurements would say as much about the typical one.
    pub effective: f64,
    /// Quantiles (Hyndman–Fan 7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<Quantiles>,
}

/// One figure of the candidate beside the baseline's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The figure.
    pub statistic: Statistic,
    /// The baseline's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// The candidate's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<f64>,
    /// candidate/baseline − 1; absent for shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift: Option<f64>,
    /// Where the true shift lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift_interval: Option<Bounded>,
    /// candidate − baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// Where the true difference lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference_interval: Option<Bounded>,
    /// The largest shift that is allowed (a negative one where less is worse), or the largest difference of a share.
    pub allowed: f64,
    /// What is decided.
    pub decision: Decision,
    /// The smallest shift, or difference of a share, that data like these call worse four times out of five.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimal_detectable: Option<f64>,
    /// About how many requests a side would decide: the interval to exist, or a shift of twice what is allowed to be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// Why there is no interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Mann and Whitney's test of whether one side's values tend to be larger.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RankTest {
    /// Pairs in which the candidate's value is the larger one; a tie counts one half.
    pub u: f64,
    /// The probability that a value of the candidate exceeds one of the baseline.
    pub superiority: f64,
    /// Two-sided p value, with the variance that the autocorrelation gives.
    pub p: f64,
}

/// Compares the series of a candidate with those of a baseline: same group and metric with same group and metric. If each
/// side has one group only, these are compared whatever they are called.
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
/// Those of reading the values ([`Series::sample`]), of a plan out of range, and [`Error::Unknown`](crate::Error::Unknown) if
/// the sides have nothing in common. Too few data are no error: the verdict says so.
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
