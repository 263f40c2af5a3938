//! Is a candidate worse than a baseline? Shifts with intervals, decided at a guaranteed false-alarm rate.
//!
//! A *comparison* is one figure of one metric of one group: the typical request, a quantile, the error rate, or the
//! share of requests that miss an objective. Its interval contains the true shift. The candidate is *worse* if the
//! whole interval is beyond the allowed change, and *not worse* if none of it is; otherwise the data cannot decide. The
//! probability that a gate fails although nothing has changed is at most [`GatePlan::alpha`], for any number of
//! comparisons.
//!
//! What varies between measurements of one build is part of each interval: the requests and their dependence, the runs
//! ([`Runs`]), and the load ([`Load`]). Failed requests count in full: a candidate is *failing* if more of its requests
//! failed than the plan allows and Fisher's exact test excludes chance, with the requests taken as independent. That is a
//! statement about the requests that were measured.
//!
//! Objectives of a run need no baseline ([`certify`]).

mod certificates;
mod chart;
mod family;
mod load;
mod measured;
mod pairing;
mod plan;
mod planning;
mod preview;
mod requests;
mod runs;
mod share;
mod shift;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use certificates::Certified;
pub use chart::FrozenChart;
pub use load::{Load, TokenCounts};
pub use plan::{GatePlan, Statistic};
pub use preview::{GatePreview, PreviewRow, PreviewTable, preview};
pub use runs::Runs;

use crate::analysis::answer::{FailureCount, Since};
use crate::analysis::{Excluded, Measure, Quantiles, Series};
use crate::column::{Preference, Source};
use crate::error::Result;
use crate::metric::{Metric, Unit};
use family::{Figures, Levels};
use runs::Ends;

/// The schema version of the gate's results that this crate writes.
pub const GATE_SCHEMA: &str = "llmscope.gate/2";

/// The result: whether the candidate is worse, and the comparisons behind the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "LLMscope gate")]
#[non_exhaustive]
pub struct Gate {
    /// The schema version: `llmscope.gate/2`.
    pub schema: String,
    /// The time of the comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub generated_at: Option<Timestamp>,
    /// Whether the candidate passes.
    pub verdict: GateVerdict,
    /// True if the candidate fails more requests than allowed, or misses an objective for failed requests.
    #[serde(default)]
    pub failing: bool,
    /// The decisive comparison, in one line.
    pub headline: String,
    /// The guaranteed upper bound of the probability of failing an unchanged candidate.
    pub alpha: f64,
    /// The number of comparisons that share alpha.
    pub family: usize,
    /// The probability that an end of an interval is wrong, for all figures but the typical request.
    pub level: f64,
    /// One pair for each group and metric.
    pub pairs: Vec<Pair>,
    /// Whether the candidate meets the objectives of a run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certified>,
    /// Groups and metrics that only one side has, and other warnings.
    pub warnings: Vec<String>,
}

impl Gate {
    /// The same result with the time of the comparison. The crate has no clock.
    ///
    /// ```
    /// use llmscope_core::gate::{GatePlan, gate};
    /// use llmscope_core::analysis::Series;
    ///
    /// let side = [Series::of_numbers("ttft_s", (0..50).map(|i| 0.3 + f64::from(i % 7) / 100.0).collect())];
    /// let answer = gate(&side, &side, &GatePlan::default())?.at("2026-11-30T12:00:00Z".parse().unwrap());
    /// assert!(serde_json::to_string(&answer).unwrap().contains("2026-11-30T12:00:00Z"));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn at(self, generated_at: Timestamp) -> Self {
        Self { generated_at: Some(generated_at), ..self }
    }

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
pub struct OpenInterval {
    /// Its lower end.
    pub lower: Option<f64>,
    /// Its upper end.
    pub upper: Option<f64>,
}

impl OpenInterval {
    /// The ends on a scale, infinite where they are open.
    fn ends(self, scale: impl Fn(f64) -> f64) -> Ends {
        Ends { lower: self.lower.map_or(f64::NEG_INFINITY, &scale), upper: self.upper.map_or(f64::INFINITY, &scale) }
    }

    fn of_ends(ends: Ends, unscale: impl Fn(f64) -> f64) -> Self {
        let closed = |end: f64| Some(end).filter(|end| end.is_finite()).map(&unscale).filter(|end| end.is_finite());
        Self { lower: closed(ends.lower), upper: closed(ends.upper) }
    }
}

impl From<OpenInterval> for [Option<f64>; 2] {
    fn from(bounds: OpenInterval) -> Self {
        [bounds.lower, bounds.upper]
    }
}

impl From<[Option<f64>; 2]> for OpenInterval {
    fn from([lower, upper]: [Option<f64>; 2]) -> Self {
        Self { lower, upper }
    }
}

/// One metric of one group on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
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
    /// Whether lower or higher values are better. If that is unknown, a shift in either direction is worse.
    #[serde(default = "unknown_direction")]
    pub direction: Preference,
    /// The source of the direction.
    #[serde(default = "source_of_metrics")]
    pub direction_from: Source,
    /// The baseline.
    pub baseline: Arm,
    /// The candidate.
    pub candidate: Arm,
    /// The runs and how much they differ; absent for the error rate, and if each value summarizes a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
    /// The token counts of both sides, if they are known and the metric depends on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// The comparisons.
    pub comparisons: Vec<Comparison>,
    /// The kinds of the candidate's failures, the most frequent ones first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FailureCount>,
    /// Mann and Whitney's test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_test: Option<RankTest>,
    /// Where a candidate that is worse changed while it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// What changed there, as one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_text: Option<String>,
    /// The candidate on the baseline's frozen control chart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<FrozenChart>,
    /// The objective of this metric, if the plan has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<f64>,
    /// Warnings: what to know before trusting the numbers.
    pub warnings: Vec<String>,
}

const fn unknown_direction() -> Preference {
    Preference::Unknown
}

/// Documents of earlier versions do not give the source.
const fn source_of_metrics() -> Source {
    Source::Metric
}

/// The measurements of one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Arm {
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
#[non_exhaustive]
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
    pub shift_interval: Option<OpenInterval>,
    /// candidate − baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// The interval of the true difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference_interval: Option<OpenInterval>,
    /// The largest allowed shift (negative if less is worse), or the largest allowed difference of a share.
    pub allowed: f64,
    /// The probability that an end of the interval is wrong. Half of alpha is for the typical request, if other figures
    /// are compared, too.
    #[serde(default)]
    pub level: f64,
    /// The decision.
    pub decision: Decision,
    /// For failed requests: the p-value of Fisher's exact test, if more requests failed than allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The smallest shift, or difference of a share, that data like these detect as worse four times out of five.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimal_detectable: Option<f64>,
    /// The approximate number of requests per side for a decision: for an interval to exist, or to detect a shift of
    /// twice the allowed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// The number of runs per side, of as many requests each, for such a decision, if no number of requests is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need_runs: Option<usize>,
    /// The reason for a missing interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Mann and Whitney's test of whether one side's values tend to be larger.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
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
/// // The answer is about these two runs.
/// let plan = GatePlan { run_sd: Some(0.0), ..GatePlan::default() };
/// let answer = gate(&series(&table(300))?, &series(&table(400))?, &plan)?;
/// assert_eq!(answer.verdict, GateVerdict::Fail);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
///
/// # Errors
/// The errors of reading the values ([`Series::sample`]) and of a plan out of range, and
/// [`Error::Unknown`](crate::Error::Unknown) if the sides have no group in common. Too few data are not an error: the
/// verdict reports them.
#[doc(alias("A/B test", "regression test", "benchmark comparison"))]
pub fn gate(baseline: &[Series], candidate: &[Series], plan: &GatePlan) -> Result<Gate> {
    plan.check()?;
    let matched = pairing::matched(baseline, candidate)?;
    let drafts = Drafts::of(&matched, plan)?;
    let levels = drafts.levels(plan);
    let mut pairs = Vec::new();
    for draft in drafts.shifts {
        pairs.push(draft.judged(plan, &levels)?);
    }
    pairs.extend(drafts.errors.into_iter().map(|draft| draft.judged(plan, levels.other)));
    let mut warnings = matched.warnings;
    warnings.extend(of_several_pairs(baseline.iter().chain(candidate), &mut pairs));
    let parts = Parts { pairs, certificates: certificates::of(candidate, plan)?, warnings };
    Ok(parts.gate(plan, &levels))
}

/// Takes the warnings of a file, such as that it is simulated, from the pairs that share them.
fn of_several_pairs<'s>(series: impl Iterator<Item = &'s Series>, pairs: &mut [Pair]) -> Vec<String> {
    let mut shared: Vec<String> = Vec::new();
    for warning in series.flat_map(|series| &series.warnings) {
        let count = pairs.iter().filter(|pair| pair.warnings.contains(warning)).count();
        if count > 1 && !shared.contains(warning) {
            shared.push(warning.clone());
        }
    }
    for pair in pairs {
        pair.warnings.retain(|warning| !shared.contains(warning));
    }
    shared
}

/// Refuses two sides without a measure in common. A side of which all requests failed has no latency: the shares of
/// failures are then compared.
///
/// # Errors
/// [`Error::Unknown`](crate::Error::Unknown) with the first measure of each side.
///
/// ```
/// use llmscope_core::analysis::Series;
/// use llmscope_core::gate::check_common_measure;
///
/// let of = |name| [Series::of_numbers(name, vec![0.3, 0.4])];
/// assert!(check_common_measure(&of("ttft_s"), &of("ttft_s")).is_ok());
/// assert!(check_common_measure(&of("ttft_s"), &of("e2e_s")).is_err());
/// ```
pub fn check_common_measure(baseline: &[Series], candidate: &[Series]) -> Result<()> {
    let all_failed = |side: &[Series]| side.iter().all(|one| one.measure == Measure::Metric(Metric::ErrorRate));
    let has_common = all_failed(baseline)
        || all_failed(candidate)
        || baseline.iter().any(|one| candidate.iter().any(|other| other.measure == one.measure));
    match (baseline.first(), candidate.first()) {
        (Some(one), Some(other)) if !has_common => Err(crate::Error::Unknown {
            what: "measure of the candidate",
            name: other.measure.name().to_owned(),
            expected: format!("one of the baseline ({})", one.measure.name()),
        }),
        _ => Ok(()),
    }
}

/// Judges the objectives of a run in a plan for these series, without a baseline.
///
/// ```
/// use llmscope_core::analysis::Selection;
/// use llmscope_core::gate::{GatePlan, GateVerdict, certify};
/// use llmscope_core::{Objective, ingest};
///
/// let table = (0..600).fold("ttft_s\n".to_owned(), |text, i| format!("{text}0.{}\n", 300 + i * i % 97));
/// let series = Selection::default().series([&ingest::read("run.csv", table.as_bytes(), None)?])?;
/// let plan = GatePlan { objectives: Objective::list("ttft.p50=500ms")?, ..GatePlan::default() };
/// assert_eq!(certify(&series, &plan)?.verdict, GateVerdict::Pass);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
///
/// # Errors
/// The errors of reading the values ([`Series::sample`]) and of a plan out of range, and
/// [`Error::Unknown`](crate::Error::Unknown) if no series has the metric of an objective. Without an objective of a run:
/// [`Error::Parameter`](crate::Error::Parameter).
pub fn certify(candidate: &[Series], plan: &GatePlan) -> Result<Gate> {
    plan.check()?;
    let certificates = certificates::of(candidate, plan)?;
    if certificates.is_empty() {
        let value = plan.objectives.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let expected = "an objective of a run, such as ttft.p99=500ms or errors=1%";
        return Err(crate::Error::Parameter { name: "objective", value, expected });
    }
    let parts = Parts { pairs: Vec::new(), certificates, warnings: Vec::new() };
    Ok(parts.gate(plan, &Levels { family: 0, typical: plan.alpha, other: plan.alpha }))
}

/// All pairs, before they are judged.
struct Drafts<'s> {
    shifts: Vec<shift::Draft<'s>>,
    errors: Vec<share::Draft<'s>>,
}

impl<'s> Drafts<'s> {
    fn of(matched: &pairing::Matched<'s>, plan: &GatePlan) -> Result<Self> {
        let mut shifts = Vec::new();
        for pair in &matched.pairs {
            shifts.extend(shift::Draft::of(pair, plan)?);
        }
        let errors = matched.groups.iter().filter_map(|pair| share::Draft::errors(pair, plan)).collect();
        Ok(Self { shifts, errors })
    }

    fn levels(&self, plan: &GatePlan) -> Levels {
        let typical =
            |level: f64| self.shifts.iter().map(|draft| draft.feasible(level, Figures::Typical)).sum::<usize>();
        let other = |level: f64| {
            let figures = self.shifts.iter().map(|draft| draft.feasible(level, Figures::Other)).sum::<usize>();
            figures + self.errors.len()
        };
        let planned = |figures| self.shifts.iter().map(|draft| draft.planned(figures)).sum::<usize>();
        Levels::of(
            plan.alpha,
            (planned(Figures::Typical), &typical),
            (planned(Figures::Other) + self.errors.len(), &other),
        )
    }
}

/// What a gate found.
struct Parts {
    pairs: Vec<Pair>,
    certificates: Vec<Certified>,
    warnings: Vec<String>,
}

impl Parts {
    fn gate(self, plan: &GatePlan, levels: &Levels) -> Gate {
        let Self { pairs, certificates, warnings } = self;
        let mut gate = Gate {
            schema: GATE_SCHEMA.to_owned(),
            generated_at: None,
            verdict: family::verdict(&pairs, &certificates),
            failing: family::is_failing(&pairs, &certificates),
            headline: String::new(),
            alpha: plan.alpha,
            family: levels.family,
            level: levels.other,
            pairs,
            certificates,
            warnings,
        };
        gate.headline = gate.headline_of();
        gate
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline)
    }
}
