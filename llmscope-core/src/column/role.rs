//! What a column holds, which direction is better, and the source of that.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A time to first token.
    FirstToken,
    /// An end-to-end latency.
    EndToEnd,
    /// A time per token, or between tokens.
    PerToken,
    /// Another duration.
    Duration,
    /// A number per unit of time.
    Rate,
    /// A part of a whole.
    Share,
    /// A number of things.
    Count,
    /// An amount of memory or data.
    Size,
    /// Money.
    Cost,
    /// A score, an accuracy, or a loss.
    Score,
    /// Whether something succeeded.
    Status,
    /// A point in time.
    Time,
    /// The identity of a record.
    Identity,
    /// A text to group by.
    Label,
    /// Nothing is known.
    Unknown,
}

impl Role {
    /// The role's human-readable label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::FirstToken => "time to first token",
            Self::EndToEnd => "end-to-end latency",
            Self::PerToken => "time per token",
            Self::Duration => "duration",
            Self::Rate => "rate",
            Self::Share => "share",
            Self::Count => "count",
            Self::Size => "size",
            Self::Cost => "cost",
            Self::Score => "score",
            Self::Status => "status",
            Self::Time => "point in time",
            Self::Identity => "identity",
            Self::Label => "label",
            Self::Unknown => "unknown",
        }
    }

    /// True for durations of any kind.
    #[must_use]
    pub const fn is_duration(self) -> bool {
        matches!(self, Self::FirstToken | Self::EndToEnd | Self::PerToken | Self::Duration)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Whether lower or higher numbers of a column are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Preference {
    /// Lower is better, as for a latency.
    #[serde(rename = "lower_is_better")]
    Lower,
    /// Higher is better, as for a throughput.
    #[serde(rename = "higher_is_better")]
    Higher,
    /// It is not stated, and the name does not suggest it.
    #[serde(rename = "unknown")]
    Unknown,
}

impl Preference {
    /// The preference's human-readable label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Lower => "lower is better",
            Self::Higher => "higher is better",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Preference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// The source of a part of a column's meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// It is a metric of this program.
    Metric,
    /// The user.
    User,
    /// The tool that wrote the log.
    Tool,
    /// The words of the column's name: a guess.
    Name,
    /// Nothing: it is not known.
    Unknown,
}

impl Source {
    /// The source's human-readable label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::User => "user",
            Self::Tool => "tool",
            Self::Name => "name",
            Self::Unknown => "unknown",
        }
    }

    /// True unless a metric, the user or the tool states it.
    #[must_use]
    pub const fn is_guess(self) -> bool {
        matches!(self, Self::Name | Self::Unknown)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
