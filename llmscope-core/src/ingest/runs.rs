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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::ingest::{Content, read as read_log};

    fn table(rows: &[[&str; 3]]) -> Table {
        let mut runs = Runs::default();
        for (line, [run, started_at, concurrency]) in (1..).zip(rows) {
            runs.begin(line);
            runs.text("run", Some(run));
            runs.text("started_at", Some(started_at));
            runs.number("concurrency", concurrency.parse().ok());
            runs.number("requests", Some(100.0));
            runs.number("ttft_s.p50", Some(0.1));
        }
        runs.table.summaries_of("a-tool")
    }

    #[test]
    fn a_name_that_is_a_time_on_every_row_is_no_setting() {
        let dated = table(&[["20260101-030000", "2026-01-01", "8"], ["20260102-030000", "2026-01-02", "8"]]);
        assert_eq!(dated.settings(), ["concurrency", SUMMARY_OF]);
        let named = table(&[["20260101-030000", "2026-01-01", ""], ["throughput", "2026-01-02", ""]]);
        assert_eq!(named.settings(), ["run", SUMMARY_OF]);
    }

    #[test]
    fn a_table_of_runs_that_was_written_is_one_again() {
        let written = table(&[["a", "2026-01-01", "8"], ["b", "2026-01-02", "16"]]);
        let texts =
            [written.to_csv("log"), written.to_json_lines("log"), written.to_json_array("log")].map(Result::unwrap);
        for text in texts {
            let log = read_log("log", text.as_bytes(), None).unwrap();
            let Content::Table(read) = log.content else { panic!("{text}: no table") };
            assert_eq!(log.tool.name(), "runs", "{text}");
            assert!(read.of_runs && read.rows() == 2, "{text}");
            let cells = |table: &Table, name: &str| table.column(name).unwrap().cells.clone();
            for column in &written.columns {
                assert_eq!(cells(&read, &column.name), column.cells, "{text}");
            }
            assert_eq!(cells(&read, SUMMARY_OF), [Cell::Text("a-tool".to_owned()), Cell::Text("a-tool".to_owned())]);
        }
    }
}
