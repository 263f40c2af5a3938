//! Reduces each row of a log to what an analysis needs.

use std::collections::HashMap;

use super::failure_kind::FailureKind;
use super::time::Time;
use super::tokens::TokenColumns;
use super::{Cell, Mapping, Table};
use crate::error::{Error, Location, Result, excerpt};
use crate::measure::Measure;
use crate::session::{AttributeValue, RequestRecord, SessionHeader};

/// What to take from each row of a log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Projection {
    /// The metrics and columns that are analyzed.
    pub measures: Vec<Measure>,
    /// Names whose values distinguish groups: `provider`, `model`, a label, an attribute, a column.
    pub labels: Vec<String>,
    /// A column to keep next to the measures: labels of subgroups, or sample sizes.
    pub companion: Option<String>,
    /// Table columns that get other names.
    pub mappings: Vec<Mapping>,
    /// Whether to read the token counts of each request, on which its latency depends.
    pub tokens: bool,
}

/// Rows of a log, column by column, reduced to a projection.
#[derive(Debug, Default)]
pub struct Rows {
    /// The labels of each group of rows, in the order of [`Projection::labels`].
    pub groups: Vec<Vec<Option<String>>>,
    /// For each group, the number of warm-up requests, which are not rows.
    pub warmup: Vec<usize>,
    /// For each row, the index of its group.
    pub group: Vec<u32>,
    /// For each measure, its value in each row; NaN where it is absent.
    pub values: Vec<Vec<f64>>,
    /// For each row, whether its request failed; empty if no request failed.
    pub failed: Vec<bool>,
    /// For each row, when it was measured; empty if no row has a time.
    pub times: Vec<Time>,
    /// For each request, its 0-based position in the log; empty for a table, of which every row is present.
    pub position: Vec<u32>,
    /// For each row of a table, its 1-based line.
    pub line: Vec<u32>,
    /// For each row, the companion column's cell; empty unless the projection names one.
    pub companion: Vec<Cell>,
    /// The token counts of the rows, if the projection requests them.
    pub tokens: TokenColumns,
    /// For each row, the index of its failure in `failures` plus 1, or 0; empty if no failure is described.
    pub failure: Vec<u32>,
    /// The kinds of failures of these rows.
    pub failures: Vec<FailureKind>,
    /// The number of records in the log that these rows come from, including warm-up.
    pub records: usize,
    /// For each measure, whether the log has such a field.
    pub offered: Vec<bool>,
    /// The index of each group.
    places: HashMap<Vec<Option<String>>, usize>,
}

impl Projection {
    /// The columns of a table that may contain the time of a row; the first one with a value counts.
    pub const TIMES: [&str; 3] = ["started_at", "timestamp", "time"];

    /// The projection of requests.
    pub(crate) fn of_records(&self, header: &SessionHeader, records: &[RequestRecord]) -> Rows {
        let mut rows = Rows { records: records.len(), ..Rows::new(self.measures.len()) };
        let mut labels = vec![None; self.labels.len()];
        for (position, record) in records.iter().enumerate() {
            for (label, name) in labels.iter_mut().zip(&self.labels) {
                *label = record_label(header, record, name);
            }
            let group = rows.group_of(&labels);
            if record.warmup {
                rows.warmup[group] += 1;
                continue;
            }
            rows.begin_request(group, position);
            for (index, measure) in self.measures.iter().enumerate() {
                let value = record_value(record, measure);
                rows.offered[index] |= value.is_some();
                rows.values[index].push(value.unwrap_or(f64::NAN));
            }
            rows.mark(!record.succeeded());
            rows.describe_failure(FailureKind::of(record));
            if self.tokens {
                rows.tokens.push_record(rows.group.len() - 1, record);
            }
            rows.at(Time::from(record.started_at));
            if let Some(name) = &self.companion {
                rows.companion.push(record_cell(header, record, name));
            }
        }
        rows
    }

    /// The projection of a table.
    pub(crate) fn of_table(&self, source: &str, table: &Table) -> Result<Rows> {
        let mut rows = Rows { records: table.rows(), ..Rows::new(self.measures.len()) };
        let measured: Vec<_> = self.measures.iter().map(|measure| table.column(measure.name())).collect();
        let labelled: Vec<_> = self.labels.iter().map(|name| table.column(name)).collect();
        let times: Vec<_> = Self::TIMES.iter().filter_map(|name| table.column(name)).collect();
        let companion = self.companion.as_ref().map(|name| table.column(name));
        rows.offered = measured.iter().map(Option::is_some).collect();
        let tokens = TokenColumns::NAMES.map(|name| table.column(name).filter(|_| self.tokens));
        let mut labels = vec![None; self.labels.len()];
        for (row, &line) in table.lines.iter().enumerate() {
            for (label, column) in labels.iter_mut().zip(&labelled) {
                *label = column.and_then(|column| column.cells[row].label());
            }
            let group = rows.group_of(&labels);
            rows.begin_line(group, line);
            for (index, column) in measured.iter().enumerate() {
                let cell = column.map_or(&Cell::Missing, |column| &column.cells[row]);
                let place = || Location::of(source).line(line);
                rows.values[index].push(number(cell, self.measures[index].name(), place)?);
            }
            rows.tokens.push(
                rows.group.len() - 1,
                tokens.map(|column| column.map(|column| &column.cells[row]).and_then(count)),
            );
            let at = times.iter().map(|column| &column.cells[row]).find(|cell| **cell != Cell::Missing);
            rows.at(at.map_or(Time::NONE, time));
            if let Some(column) = &companion {
                rows.companion.push(column.map_or(Cell::Missing, |column| column.cells[row].clone()));
            }
        }
        Ok(rows)
    }
}

impl Rows {
    pub(super) fn new(measures: usize) -> Self {
        Self { values: vec![Vec::new(); measures], offered: vec![false; measures], ..Self::default() }
    }

    /// Reserves room for `rows` more rows.
    pub(super) fn reserve(&mut self, rows: usize) {
        self.group.reserve(rows);
        self.line.reserve(rows);
        self.times.reserve(rows);
        self.values.iter_mut().for_each(|column| column.reserve(rows));
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.group.len()
    }

    /// True if there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.group.is_empty()
    }

    /// The index of a group; a new group is added. Rows of the same group tend to follow one another.
    pub(super) fn group_of(&mut self, labels: &[Option<String>]) -> usize {
        let last = self.group.last().map(|&group| group as usize).filter(|&group| self.groups[group] == labels);
        last.or_else(|| self.places.get(labels).copied()).unwrap_or_else(|| {
            self.groups.push(labels.to_vec());
            self.warmup.push(0);
            self.places.insert(labels.to_vec(), self.groups.len() - 1);
            self.groups.len() - 1
        })
    }

    /// Begins the row of a request.
    fn begin_request(&mut self, group: usize, position: usize) {
        self.group.push(narrow(group));
        self.position.push(narrow(position));
    }

    /// Begins a row of a table.
    pub(super) fn begin_line(&mut self, group: usize, line: u64) {
        self.group.push(narrow(group));
        self.line.push(u32::try_from(line).unwrap_or(u32::MAX));
    }

    /// Records whether the current row's request failed.
    pub(super) fn mark(&mut self, failed: bool) {
        if failed || !self.failed.is_empty() {
            self.failed.resize(self.group.len() - 1, false);
            self.failed.push(failed);
        }
    }

    /// Records why the current row's request failed, if known.
    fn describe_failure(&mut self, kind: Option<FailureKind>) {
        let kind = kind.map_or(0, |kind| FailureKind::number_in(&mut self.failures, kind));
        if kind > 0 || !self.failure.is_empty() {
            self.failure.resize(self.group.len() - 1, 0);
            self.failure.push(kind);
        }
    }

    /// Records when the current row was measured.
    pub(super) fn at(&mut self, time: Time) {
        if time != Time::NONE || !self.times.is_empty() {
            self.times.resize(self.group.len() - 1, Time::NONE);
            self.times.push(time);
        }
    }
}

/// A position in a log. Positions beyond 2³² − 1 are clamped to that value.
fn narrow(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// A cell as a measurement; NaN where it is missing.
pub(super) fn number(cell: &Cell, name: &str, place: impl FnOnce() -> Location) -> Result<f64> {
    match cell {
        Cell::Missing => Ok(f64::NAN),
        Cell::Number(number) => Ok(*number),
        Cell::Text(text) => Err(Error::Format {
            location: place().field(name),
            problem: format!("\"{}\" is not a number", excerpt(text)),
            fix: format!("correct it, or leave the cell empty and choose {GAP_POLICY}"),
        }),
    }
}

/// A cell as a count of tokens; anything else is an unknown count.
pub(super) fn count(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(number) => Some(*number).filter(|count| count.is_finite() && *count >= 0.0),
        _ => None,
    }
}

/// The choice to make if values are missing.
pub(crate) const GAP_POLICY: &str = "how gaps are handled (break or drop)";

/// A cell as the time of its row.
pub(super) fn time(cell: &Cell) -> Time {
    match cell {
        Cell::Text(text) => Time::from(text.parse().ok()),
        _ => Time::NONE,
    }
}

fn record_value(record: &RequestRecord, measure: &Measure) -> Option<f64> {
    match measure {
        Measure::Metric(metric) => record.metric(*metric),
        Measure::Column(name) if record.succeeded() => record.attribute(name),
        Measure::Column(_) => None,
    }
}

/// The name that groups by session: the session's own name, or that of its file. Only a table may have a column of that
/// name.
pub(crate) const SESSION: &str = "session";

fn record_label(header: &SessionHeader, record: &RequestRecord, name: &str) -> Option<String> {
    match name {
        SESSION => None,
        "provider" => record.provider.clone().or_else(|| header.provider.clone()),
        "model" => record.model.clone().or_else(|| header.model.clone()),
        _ => match record.attributes.get(name) {
            Some(value) => Some(value.label()),
            None => header.labels.get(name).cloned(),
        },
    }
}

fn record_cell(header: &SessionHeader, record: &RequestRecord, name: &str) -> Cell {
    match record.attributes.get(name) {
        Some(AttributeValue::Number(number)) => Cell::Number(*number),
        _ => record_label(header, record, name).map_or(Cell::Missing, Cell::Text),
    }
}
