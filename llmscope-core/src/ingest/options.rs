//! What a caller states about a log.

use super::filter::Filter;
use super::numbers::Decimal;
use super::outcome::StatusRule;
use super::tool::Tool;
use super::when::TimeRules;

/// What a caller states about a log, where its content alone does not say it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadOptions {
    /// The format; recognized by default.
    pub tool: Option<Tool>,
    /// The decimal separator of a table.
    pub decimal: Decimal,
    /// Which rows of a table succeeded.
    pub status: StatusRule,
    /// The form and the zone of a table's times.
    pub times: TimeRules,
    /// Conditions that rows must meet.
    pub filters: Vec<Filter>,
    /// Columns that the caller names as the file does. Delimited values with one of them are read as a table, even if
    /// the tool that wrote them is known.
    pub columns: Vec<String>,
}
