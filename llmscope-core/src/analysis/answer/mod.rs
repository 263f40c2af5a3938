//! The answer about a series: did it change, since when, by how much, and how far can it be trusted.

mod change;
mod events;
mod failures;
mod family;
mod judged_run;
mod load;
mod objectives;
mod parts;
mod places;
mod ranking;
mod rare;
mod run_failures;
mod runs;
mod sequence;
mod since;
mod size;
mod slow_requests;
mod stages;
mod verdict;
mod words;

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use change::{Change, Direction, Part, Since};
pub(crate) use failures::failure_counts;
pub use failures::{FailedRuns, FailureCount, Failures};
pub use family::{family_of, has_a_verdict};
pub use load::LoadChange;
pub use objectives::{Goodput, check_objectives, limit_of_requests};
pub(crate) use objectives::{certified, unknown_metric};
pub use ranking::{RankedAnswer, ranked};
pub(super) use runs::order as run_order;
pub use runs::{MIN_RUNS, RunsJudged, SinceRun};
pub use slow_requests::SlowRequests;
pub use verdict::SeriesVerdict;
pub(crate) use words::comparative;

use super::{Plan, Series};
use crate::error::{Error, Result};
use crate::objective::{Certificate, CertificateStatus};
use family::Family;
use parts::Findings;
use sequence::Sequences;

/// The default alpha: the chance that a call says that something changed although nothing did.
pub const ALPHA: f64 = 0.01;
/// The level of the intervals of sizes and of the time of a change.
const CONFIDENCE: f64 = 0.95;

/// The answer about one metric of one group. Fields that do not apply are absent. Positions of a change of the level or
/// of the dispersion count measurements; those of a change of the failure share count requests, failed ones included. If
/// each value summarizes a run, positions of failures count runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Answer {
    /// The part that changed most: the level, the dispersion, or the share of failed requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// Whether the change is for the worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Where the change is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// The quotient of the values after and before the change, if all values are positive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// The difference of the values after and before the change, in the unit of the metric, if there is no quotient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// The 95 % interval of the quotient or of the difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// The probability of so clear a change in this part of this series if nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The same for the whole call: at most alpha if the series changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_call: Option<f64>,
    /// The token counts for which the values were adjusted.
    pub adjusted_for: Vec<String>,
    /// Changes of the token counts: longer prompts or answers. They are no change of the server.
    pub load: Option<Vec<LoadChange>>,
    /// Events of the session at the time of the change.
    pub events: Vec<String>,
    /// All changes that were found, in the order of the parts and of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Failed requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<Failures>,
    /// Single slow requests. They do not make a series changed, unless this was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_requests: Option<SlowRequests>,
    /// What was judged between several runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<RunsJudged>,
    /// Whether the requests meet the objectives of the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<Certificate>,
    /// The share of requests within the limits of the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goodput: Vec<Goodput>,
    /// The number of independent measurements with the same information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_n: Option<f64>,
    /// If there are too few measurements for a verdict, how many more are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// The answer as one sentence.
    pub text: String,
}

impl Answer {
    /// True if the requests miss an objective of the call.
    #[must_use]
    pub fn misses_an_objective(&self) -> bool {
        self.objectives.iter().any(|certificate| certificate.status == CertificateStatus::Missed)
    }
}

/// The answer about a series, with what the search for changes found out about its chart.
pub(super) struct Answered {
    pub(super) verdict: SeriesVerdict,
    pub(super) answer: Answer,
    /// The stages of the measurements, in the order of the runs.
    pub(super) stages: Vec<Range<usize>>,
}

/// Refuses an alpha that is not between 0 and ½.
pub(super) fn check_alpha(alpha: f64) -> Result<()> {
    if alpha > 0.0 && alpha < 0.5 {
        return Ok(());
    }
    Err(Error::Parameter {
        name: "alpha",
        value: alpha.to_string(),
        expected: "a probability above 0 and below 0.5, such as 0.01",
    })
}

/// The answer about a series at the plan's alpha, of which each series of the call has the same share. `counts` holds the
/// points of a chart of counts, which are judged instead of the values.
///
/// # Errors
/// Those of [`Series::sample`].
pub(super) fn of(series: &Series, plan: &Plan, counts: Option<&[f64]>) -> Result<Answered> {
    let family = Family::of(plan);
    let (sample, kept) = series.sample(plan.missing)?;
    let sequences = Sequences::of(series, &sample, &kept, counts);
    let objectives = objectives::Judged::of(series, plan)?;
    let findings = Findings::of(series, &sequences, objectives, &family);
    let verdict = findings.verdict();
    let answer = findings.into_answer(series, &sequences, verdict);
    let stages = stages::of(&sequences, &answer.changes, sample.len());
    Ok(Answered { verdict, answer, stages })
}
