//! What each column of the input means, and what was done with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Selection, Series};
use crate::column::{Meaning, Preference, Role, Source};
use crate::error::{Error, Result};
use crate::ingest::{Column, Content, Log, Projection, TokenColumns, on_one_line};
use crate::measure::Measure;
use crate::metric::{Metric, Unit};
use crate::session::AttributeValue;

/// A column of the input: what it means, the source of that meaning, and what was done with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ColumnReport {
    /// Its name in the input.
    pub name: String,
    /// The name that a mapping gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapped_to: Option<String>,
    /// What it holds.
    pub role: Role,
    /// The unit of its numbers.
    pub unit: Unit,
    /// The source of the unit.
    pub unit_from: Source,
    /// Whether lower or higher numbers are better.
    pub direction: Preference,
    /// The source of the direction.
    pub direction_from: Source,
    /// What was done with it.
    pub used_as: ColumnUse,
    /// The number of values that were judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<usize>,
    /// The number of rows without a value that was judged: failed, missing, out of bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_used: Option<usize>,
}

/// What was done with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnUse {
    /// Its values were judged.
    Judged,
    /// Its values distinguish the groups.
    Group,
    /// It has the labels of the subgroups, or the sample sizes.
    Subgroup,
    /// It gives the order of the rows.
    Time,
    /// Latencies were judged given its token counts.
    Tokens,
    /// It was not used.
    Unused,
}

impl ColumnReport {
    /// The name on one line, with the name that a mapping gives: `latency_ms → e2e_s`.
    #[must_use]
    pub fn title(&self) -> String {
        let own = on_one_line(&self.name);
        self.mapped_to.as_ref().map_or_else(|| own.clone(), |to| format!("{own} → {}", on_one_line(to)))
    }
}

impl ColumnUse {
    /// The use's human-readable label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::Group => "group",
            Self::Subgroup => "subgroup or size",
            Self::Time => "time",
            Self::Tokens => "tokens",
            Self::Unused => "not used",
        }
    }
}

/// A column of a log, as far as its first records show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownColumn {
    pub(super) name: String,
    /// False if no value is a number.
    pub(super) is_numeric: bool,
}

/// The columns of the logs, and what the selection reads of them.
pub(super) struct Outline {
    pub(super) columns: Vec<KnownColumn>,
    pub(super) selection: Selection,
    /// The names by which the rows are grouped.
    pub(super) labels: Vec<String>,
    /// Whether token counts are read.
    pub(super) reads_tokens: bool,
}

/// What the measures of series mean, for series that do not come from the columns of a log.
#[must_use]
pub fn columns_of_series(series: &[Series]) -> Vec<ColumnReport> {
    let selection = Selection::default();
    Outline { columns: Vec::new(), selection, labels: Vec::new(), reads_tokens: false }.described(series)
}

impl Outline {
    /// The columns in the order of the logs. A measure that no log has as a column, such as the error rate, comes last.
    pub(super) fn described(&self, series: &[Series]) -> Vec<ColumnReport> {
        let mut reports: Vec<ColumnReport> = self.columns.iter().map(|column| self.report(column, series)).collect();
        for one in series {
            let name = one.measure.name();
            let is_listed = |report: &ColumnReport| report.mapped_to.as_deref().unwrap_or(&report.name) == name;
            if !reports.iter().any(is_listed) {
                let column = KnownColumn { name: name.to_owned(), is_numeric: true };
                reports.push(self.report(&column, series));
            }
        }
        reports
    }

    fn report(&self, column: &KnownColumn, series: &[Series]) -> ColumnReport {
        let mapping = self.selection.mappings.iter().find(|mapping| mapping.from == column.name);
        let name = mapping.map_or(column.name.as_str(), |mapping| mapping.to.as_str());
        let judged: Vec<&Series> = series.iter().filter(|series| series.measure.name() == name).collect();
        let by_name = || {
            let meaning = self.selection.stated.applied(name, Meaning::of_name(name));
            if column.is_numeric { meaning } else { of_text(meaning) }
        };
        let meaning = judged.first().map_or_else(by_name, |series| series.meaning());
        let count = |values: &dyn Fn(&Series) -> usize| {
            (!judged.is_empty()).then(|| judged.iter().map(|series| values(series)).sum::<usize>())
        };
        ColumnReport {
            name: column.name.clone(),
            mapped_to: mapping.map(|mapping| mapping.to.clone()),
            role: meaning.role,
            unit: meaning.unit,
            unit_from: meaning.unit_from,
            direction: meaning.preference,
            direction_from: meaning.preference_from,
            used_as: self.use_of(name, !judged.is_empty()),
            used: count(&|series| series.values.iter().filter(|value| !value.is_nan()).count()),
            not_used: count(&|series| series.values.iter().filter(|value| value.is_nan()).count()),
        }
    }

    fn use_of(&self, name: &str, is_judged: bool) -> ColumnUse {
        match name {
            _ if is_judged => ColumnUse::Judged,
            _ if self.labels.iter().any(|label| label == name) => ColumnUse::Group,
            _ if self.selection.companion.as_deref() == Some(name) => ColumnUse::Subgroup,
            _ if Projection::TIMES.contains(&name) => ColumnUse::Time,
            _ if self.reads_tokens && TokenColumns::NAMES.contains(&name) => ColumnUse::Tokens,
            _ => ColumnUse::Unused,
        }
    }
}

/// The meaning of a column without numbers.
fn of_text(meaning: Meaning) -> Meaning {
    let role = match meaning.role {
        role @ (Role::Time | Role::Identity | Role::Status) => role,
        _ => Role::Label,
    };
    let unknown = Source::Unknown;
    Meaning {
        role,
        unit: Unit::One,
        preference: Preference::Unknown,
        unit_from: unknown,
        preference_from: unknown,
        ..meaning
    }
}

/// The columns of a log, as far as its first records show them: those of a table, or the metrics and attributes of
/// requests.
pub(super) fn columns_of(log: &Log) -> Vec<KnownColumn> {
    const ENOUGH: usize = 1000;
    let session = match &log.content {
        Content::Session(session) => session,
        Content::Table(table) => {
            let numeric: Vec<&str> = table.numeric_columns().collect();
            let known = |column: &Column| KnownColumn {
                name: column.name.clone(),
                is_numeric: numeric.contains(&column.name.as_str()),
            };
            return table.columns.iter().map(known).collect();
        }
    };
    let records = &session.records[..session.records.len().min(ENOUGH)];
    let metrics = Metric::ALL.iter().filter(|&&metric| records.iter().any(|record| record.metric(metric).is_some()));
    let mut columns: Vec<KnownColumn> =
        metrics.map(|metric| KnownColumn { name: metric.name().to_owned(), is_numeric: true }).collect();
    for (name, value) in records.iter().flat_map(|record| &record.attributes) {
        let is_numeric = matches!(value, AttributeValue::Number(_));
        match columns.iter_mut().find(|known| known.name == *name) {
            Some(known) => known.is_numeric |= is_numeric,
            None => columns.push(KnownColumn { name: name.clone(), is_numeric }),
        }
    }
    columns
}

/// Refuses one limit for measures of different kinds: 800 ms for a time to first token and for an end-to-end latency. A
/// limit that names its unit applies to columns of one kind in different units.
///
/// # Errors
/// [`Error::Parameter`] with the names of the measures.
pub fn check_one_kind(series: &[Series], names_unit: bool) -> Result<()> {
    let mut measures: Vec<(&Measure, Meaning)> = Vec::new();
    for one in series {
        if !measures.iter().any(|(measure, _)| *measure == &one.measure) {
            measures.push((&one.measure, one.meaning()));
        }
    }
    let fits = |one: &Meaning, other: &Meaning| one.is_same_kind(other) && (names_unit || one.unit == other.unit);
    if measures.windows(2).all(|pair| fits(&pair[0].1, &pair[1].1)) {
        return Ok(());
    }
    Err(Error::Parameter {
        name: "limits of several metrics",
        value: measures.iter().map(|(measure, _)| measure.name()).collect::<Vec<_>>().join(", "),
        expected: "one metric, or columns of one kind and one unit",
    })
}
