//! A violation of a series, and what people said of it.

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
    /// Its number.
    pub id: i64,
    /// Where it was found.
    pub series: SeriesName,
    /// The rule.
    pub rule: RuleCode,
    /// What the rule looks for, in words.
    pub words: String,
    /// Where the points lie.
    pub side: Side,
    /// Time of the first point of the pattern.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub first_at: Timestamp,
    /// Time of the point that completed the pattern.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub signal_at: Timestamp,
    /// Time of the last point that signalled.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_at: Timestamp,
    /// Points that signalled.
    pub signals: u64,
    /// True while the rule signals.
    pub open: bool,
    /// The value that completed the pattern.
    pub value: f64,
    /// The limits that it was judged against.
    pub limits: Limits,
    /// What people made of it.
    pub status: Status,
    /// Who took note of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Mark>,
    /// Who dealt with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Mark>,
    /// What they wrote.
    pub notes: Vec<Note>,
}

/// What people made of a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing yet.
    New,
    /// Somebody took note.
    Acknowledged,
    /// Somebody dealt with it.
    Resolved,
}

impl Status {
    /// Its name in the store and in queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Self::New, Self::Acknowledged, Self::Resolved];
        let found = all.into_iter().find(|status| status.name() == name);
        found.ok_or_else(|| format!("\"{name}\" is not one of new, acknowledged, resolved"))
    }
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mark {
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The name of the key.
    pub by: String,
}

/// What somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    /// When and who.
    #[serde(flatten)]
    pub mark: Mark,
    /// The words.
    pub text: String,
}
