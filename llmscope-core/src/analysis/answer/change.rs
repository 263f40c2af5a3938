//! One change of one part of a series.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SinceRun;
use crate::column::Preference;

/// The part of a series that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The level of the values.
    Level,
    /// The share of failed requests.
    Failures,
    /// The dispersion of the values about their level.
    Spread,
    /// Single slow requests.
    SlowRequests,
}

impl Part {
    /// The part's name in files and in Python.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Failures => "failures",
            Self::Spread => "spread",
            Self::SlowRequests => "slow_requests",
        }
    }
}

/// Whether a change is for the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Slower, more expensive, more irregular, or more failures.
    Worse,
    /// The opposite.
    Better,
    /// It is unknown whether larger values of this column are better. This counts as worse.
    Unknown,
}

impl Direction {
    /// The direction's name in files and in Python.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Unknown => "unknown",
        }
    }

    /// False for a change for the better.
    ///
    /// ```
    /// use llmscope_core::analysis::Direction;
    ///
    /// assert!(Direction::Unknown.counts_as_worse()); // not known to be better
    /// assert!(!Direction::Better.counts_as_worse());
    /// ```
    #[must_use]
    pub const fn counts_as_worse(self) -> bool {
        !matches!(self, Self::Better)
    }

    /// The direction of values that became larger or smaller.
    pub(crate) const fn of_level(preference: Preference, larger: bool) -> Self {
        match preference {
            Preference::Lower => Self::of(larger),
            Preference::Higher => Self::of(!larger),
            Preference::Unknown => Self::Unknown,
        }
    }

    pub(crate) const fn of(worse: bool) -> Self {
        if worse { Self::Worse } else { Self::Better }
    }
}

/// Where a change is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Since {
    /// Position of the first value after the change.
    pub index: usize,
    /// The time of that value, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub t: Option<Timestamp>,
    /// The 95 % interval of the position, both ends included.
    pub interval: [usize; 2],
    /// The run that begins there, if the change is one between runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<SinceRun>,
}

/// One change of one part of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Change {
    /// The part that changed.
    pub part: Part,
    /// Whether the change is for the worse.
    pub direction: Direction,
    /// Where the change is.
    pub since: Since,
    /// The quotient of the values after and before the change, if all values are positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// The difference of the values after and before the change, if there is no quotient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// The 95 % interval of the quotient or of the difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// The median before the change, or the share of failed requests.
    pub before: f64,
    /// The median after the change, or the share of failed requests.
    pub after: f64,
    /// The probability of so clear a change in this part of this series if nothing changed.
    pub p: f64,
    /// The same for the whole call.
    pub p_call: f64,
}

impl Change {
    /// The size for ranking: the absolute logarithm of the quotient; of shares, their difference.
    pub(super) fn magnitude(&self) -> f64 {
        match self.ratio {
            Some(ratio) if ratio > 0.0 && ratio.is_finite() => ratio.ln().abs(),
            _ => (self.after - self.before).abs(),
        }
    }
}
