//! A violation: the points at which a rule was violated, and their side.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RuleCode;
use crate::quantity::counted;

/// The side of the center line, or the direction of a trend (above: rising).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Above the center line, or rising.
    Above,
    /// Below the center line, or falling.
    Below,
    /// On both sides.
    Both,
}

impl Side {
    /// The name of the side.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::Below => "below",
            Self::Both => "both",
        }
    }
}

/// A maximal run of signals of one rule, together with the points of the pattern that the first signal completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Document", into = "Document")]
pub struct Violation {
    /// The rule that signals.
    pub rule: RuleCode,
    /// First point of the first pattern, 0-based.
    pub first: usize,
    /// The point that completed the first pattern: the first signal.
    pub first_signal: usize,
    /// The last signal. Every point from `first_signal` to `last` signals.
    pub last: usize,
    /// The side of the points.
    pub side: Side,
}

impl Violation {
    /// The positions from the first point of the pattern to the last signal: `4–15`.
    #[must_use]
    pub fn range(&self) -> String {
        if self.first == self.last { self.first.to_string() } else { format!("{}–{}", self.first, self.last) }
    }

    /// The points at which the rule signals.
    pub fn signals(&self) -> std::ops::Range<usize> {
        self.first_signal..self.last + 1
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signals = counted(self.signals().len(), "signal");
        write!(f, "{} at {}: {signals}, {}", self.rule, self.range(), self.side.name())
    }
}

/// The serialized form of a violation, which lists its signals one by one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Violation")]
pub(crate) struct Document {
    /// Code of the rule, such as `nelson-2`.
    rule: RuleCode,
    /// First point of the first pattern, 0-based.
    first: usize,
    /// Last point that signals.
    last: usize,
    /// The points that complete the pattern.
    signals: Vec<usize>,
    /// The side of the points.
    side: Side,
}

impl From<Violation> for Document {
    fn from(violation: Violation) -> Self {
        let signals = violation.signals().collect();
        let Violation { rule, first, last, side, .. } = violation;
        Self { rule, first, last, signals, side }
    }
}

impl From<Document> for Violation {
    fn from(document: Document) -> Self {
        let Document { rule, first, last, signals, side } = document;
        Self { rule, first, first_signal: signals.first().copied().unwrap_or(last), last, side }
    }
}

impl JsonSchema for Violation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Document::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Document::json_schema(generator)
    }
}
