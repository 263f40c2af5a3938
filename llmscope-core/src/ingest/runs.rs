//! Summaries of runs, of tools that keep no requests: each run is one point of a chart of runs.

use jiff::Timestamp;

use super::{Cell, Column, Table};
use crate::session::Notice;

/// A table of runs that grows row by row.
///
/// Columns are named after the metric and the statistic, in SI units: `ttft_s.p50`, `e2e_s.mean`,
/// `output_tokens_per_s.mean`; what describes the run keeps its plain name: `started_at`, `provider`, `model`, `run`,
/// `requests`, `failed`, `concurrency`, `duration_s`.
#[derive(Debug)]
pub(crate) struct Runs {
    pub(crate) table: Table,
    /// What was odd about the file.
    pub(crate) notices: Vec<Notice>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { table: Table { of_runs: true, ..Table::default() }, notices: Vec::new() }
    }
}

/// Milliseconds as seconds. A division rounds once.
pub(crate) fn of_ms(milliseconds: f64) -> f64 {
    milliseconds / 1e3
}

/// Nanoseconds as seconds.
pub(crate) fn of_ns(nanoseconds: f64) -> f64 {
    nanoseconds / 1e9
}

impl Runs {
    /// Begins the row of another run, which stands at a 1-based line of its file.
    pub(crate) fn begin(&mut self, line: u64) {
        self.table.lines.push(line);
        for column in &mut self.table.columns {
            column.cells.push(Cell::Missing);
        }
    }

    /// A number that describes the run just begun. One that is absent or not finite stays absent.
    pub(crate) fn number(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.put(name, Cell::Number(value));
        }
    }

    /// A text that describes the run just begun.
    pub(crate) fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.put(name, Cell::Text(value.to_owned()));
        }
    }

    /// When the run just begun began.
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
