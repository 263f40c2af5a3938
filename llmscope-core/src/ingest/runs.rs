//! Summaries of runs, from tools that keep no requests: each run is a point on a chart of runs.

use jiff::Timestamp;

use super::numbers::Decimal;
use super::tool::{Format, Parsed, Reading};
use super::when::{Moment, TimeRules};
use super::{Cell, Column, Table, delimited, json_lines};
use crate::column::is_setting;
use crate::error::Result;
use crate::session::Warning;

/// The column with the tool that wrote a summary. It marks a table of runs in every format.
pub(crate) const SUMMARY_OF: &str = "summary_of";

/// Summaries of runs in a table, as this program writes them.
pub(super) const FORMAT: Format = Format {
    name: "runs",
    title: "LLMscope table of runs",
    recognizes: |signature| {
        signature.has_columns(&[SUMMARY_OF]) || [SUMMARY_OF, "[].summary_of"].iter().any(|path| signature.has(path))
    },
    reading: Reading::Whole(read),
};

fn read(source: &str, text: &str) -> Result<Parsed> {
    let (table, warnings) = if text.trim_start().starts_with(['{', '[']) {
        json_lines::read(source, text)?
    } else {
        (delimited::read(source, text, Decimal::Point)?, Vec::new())
    };
    Ok(Parsed::Runs(Runs { table: Table { of_runs: true, ..table }, warnings }))
}

impl Table {
    /// The table with the tool that wrote it, unless it names one already.
    pub(super) fn summaries_of(mut self, tool: &str) -> Self {
        if self.of_runs && self.column(SUMMARY_OF).is_none() {
            let cells = vec![Cell::Text(tool.to_owned()); self.rows()];
            self.columns.push(Column { name: SUMMARY_OF.to_owned(), cells });
        }
        self
    }

    /// The columns of a table of runs that say how each run was set up, in the order of the file. A text that is a time
    /// on every row says when a run was, whatever its column is named.
    pub(crate) fn settings(&self) -> Vec<String> {
        let rules = TimeRules::default();
        let is_time = |cell: &Cell| match cell {
            Cell::Text(text) => matches!(rules.of_text(text), Some(Moment::At(_) | Moment::Naive(_))),
            Cell::Missing | Cell::Number(_) => false,
        };
        let is_set = |column: &&Column| {
            let mut known = column.cells.iter().filter(|cell| **cell != Cell::Missing).peekable();
            let is_number = known.clone().all(|cell| matches!(cell, Cell::Number(_)));
            known.peek().is_some() && is_setting(&column.name, is_number) && !known.all(is_time)
        };
        self.columns.iter().filter(is_set).map(|column| column.name.clone()).collect()
    }
}

/// A table of runs that grows row by row.
///
/// Columns are named after the metric and the statistic, in SI units: `ttft_s.p50`, `e2e_s.mean`,
/// `output_tokens_per_s.mean`. Properties of the run have plain names: `started_at`, `provider`, `model`, `run`,
/// `requests`, `failed`, `concurrency`, `duration_s`.
#[derive(Debug)]
pub(crate) struct Runs {
    pub(crate) table: Table,
    /// Warnings about the file.
    pub(crate) warnings: Vec<Warning>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { table: Table { of_runs: true, ..Table::default() }, warnings: Vec::new() }
    }
}

/// Milliseconds as seconds. A division rounds only once.
pub(crate) fn of_ms(milliseconds: f64) -> f64 {
    milliseconds / 1e3
}

/// Nanoseconds as seconds.
pub(crate) fn of_ns(nanoseconds: f64) -> f64 {
    nanoseconds / 1e9
}

impl Runs {
    /// Begins the row of another run, at a 1-based line of its file.
    pub(crate) fn begin(&mut self, line: u64) {
        self.table.lines.push(line);
        for column in &mut self.table.columns {
            column.cells.push(Cell::Missing);
        }
    }

    /// Sets a number of the current run. Absent and non-finite values are left out.
    pub(crate) fn number(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.put(name, Cell::Number(value));
        }
    }

    /// Sets a text of the current run.
    pub(crate) fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.put(name, Cell::Text(value.to_owned()));
        }
    }

    /// Sets the start of the current run.
    pub(crate) fn started_at(&mut self, at: Option<Timestamp>) {
        self.text("started_at", at.map(|at| at.to_string()).as_deref());
    }

    fn put(&mut self, name: &str, cell: Cell) {
        let row = self.table.rows() - 1;
        let place = self.table.columns.iter().position(|column| column.name == name).unwrap_or_else(|| {
            self.table.columns.push(Column { name: name.to_owned(), cells: vec![Cell::Missing; row + 1] });
            self.table.columns.len() - 1
        });
        self.table.columns[place].cells[row] = cell;
    }
}
