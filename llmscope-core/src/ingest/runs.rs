//! Summaries of runs, from tools that keep no requests: each run is a point on a chart of runs.

use jiff::Timestamp;

use super::{Cell, Column, Table};
use crate::session::Warning;

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
