//! A violation of a series, with its annotations.

use std::str::FromStr;

use jiff::Timestamp;
use llmscope_core::watch::Limits;
use llmscope_core::{RuleCode, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::series::SeriesName;

/// A maximal run of signals of one rule.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Violation {
    /// The id of the violation.
    pub id: i64,
    /// The series of the violation.
    pub series: SeriesName,
    /// The rule.
    pub rule: RuleCode,
    /// The pattern of the rule, as text.
    pub words: String,
    /// The side of the center line on which the points lie.
    pub side: Side,
    /// Time of the first point of the pattern.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub first_at: Timestamp,
    /// Time of the point that completed the pattern.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub signal_at: Timestamp,
    /// Time of the last point that signaled.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_at: Timestamp,
    /// The number of points that signaled.
    pub signals: u64,
    /// True while the rule still signals.
    pub open: bool,
    /// The value that completed the pattern.
    pub value: f64,
    /// The limits that judged the value.
    pub limits: Limits,
    /// The status of the violation.
    pub status: ViolationStatus,
    /// Who acknowledged the violation, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Mark>,
    /// Who resolved the violation, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Mark>,
    /// The notes, oldest first.
    pub notes: Vec<Note>,
}

/// The status of a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Status2")]
pub enum ViolationStatus {
    /// Not acknowledged yet.
    New,
    /// A user acknowledged it.
    Acknowledged,
    /// A user resolved it.
    Resolved,
}

impl ViolationStatus {
    /// The name in the store and in queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

impl FromStr for ViolationStatus {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Self::New, Self::Acknowledged, Self::Resolved];
        let found = all.into_iter().find(|status| status.name() == name);
        found.ok_or_else(|| format!("invalid status \"{name}\": expected new, acknowledged or resolved"))
    }
}

/// Who changed the violation, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mark {
    /// The time of the change.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The name of the user's key.
    pub by: String,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    /// The author and the time.
    #[serde(flatten)]
    pub mark: Mark,
    /// The text of the note.
    pub text: String,
}
