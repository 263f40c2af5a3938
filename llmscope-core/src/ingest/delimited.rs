//! Comma-, semicolon- and tab-separated values.

use super::{Cell, Column, Table};
use crate::error::{Error, Location, Result};

/// Reads a table whose first line names its columns. The delimiter is the one that the first line has most of.
pub(super) fn read(source: &str, text: &str) -> Result<Table> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(text)).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| malformed(source, &error))?.clone();
    let mut table = Table {
        columns: headers.iter().map(|name| Column { name: name.trim().to_owned(), cells: Vec::new() }).collect(),
        lines: Vec::new(),
    };
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| malformed(source, &error))? {
        table.lines.push(record.position().map_or(0, csv::Position::line));
        for (column, cell) in table.columns.iter_mut().zip(&record) {
            column.cells.push(Cell::parse(cell));
        }
    }
    if headers.iter().all(|name| name.trim().parse::<f64>().is_ok()) {
        return Err(Error::Format {
            location: Location::of(source).line(1),
            problem: "the first line holds numbers where the names of the columns are expected".to_owned(),
            fix: "put a header line before them, such as: latency".to_owned(),
        });
    }
    Ok(table)
}

fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| first.bytes().filter(|&byte| byte == delimiter).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}

fn malformed(source: &str, error: &csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    let (problem, fix) = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            (format!("{len} fields where the header names {expected_len}"), "correct the line, or quote its delimiters")
        }
        _ => (error.to_string(), "correct the line"),
    };
    Error::Format { location: Location::of(source).line(line), problem, fix: fix.to_owned() }
}
