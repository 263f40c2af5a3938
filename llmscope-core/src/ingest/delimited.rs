//! Comma-, semicolon- and tab-separated values.

use super::delimited_rows::Header;
use super::{Cell, Column, Table};
use crate::error::{Error, Location, Result};

/// The column names in a header line.
pub(super) fn header(source: &str, line: &str) -> Result<Header> {
    let delimiter = delimiter(line);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(line.as_bytes());
    let names = reader.headers().map_err(|error| Error::of_csv(source, &error))?;
    let names: Vec<_> = names.iter().map(|name| name.trim().to_owned()).collect();
    if names.iter().all(|name| name.parse::<f64>().is_ok()) {
        return Err(Error::Format {
            location: Location::of(source).line(1),
            problem: "the first line holds numbers instead of column names".to_owned(),
            fix: "add a header line, such as: latency".to_owned(),
        });
    }
    Ok(Header { delimiter, names })
}

/// Reads a table whose first line names its columns. The delimiter is the candidate that occurs most often in the first
/// line.
pub(super) fn read(source: &str, text: &str) -> Result<Table> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter(text)).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| Error::of_csv(source, &error))?.clone();
    let mut table = Table {
        columns: headers.iter().map(|name| Column { name: name.trim().to_owned(), cells: Vec::new() }).collect(),
        ..Table::default()
    };
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| Error::of_csv(source, &error))? {
        let line = line_of(text, record.position());
        if record.len() != headers.len() {
            return Err(Error::of_unequal_lengths(source, line, headers.len(), record.len()));
        }
        table.lines.push(line);
        for (column, cell) in table.columns.iter_mut().zip(&record) {
            column.cells.push(Cell::parse(cell));
        }
    }
    if let Some(first) = text.lines().find(|line| !line.trim().is_empty()) {
        header(source, first)?;
    }
    Ok(table)
}

/// The 1-based line in `text` on which a record begins. The parser reports that a record begins where the previous one
/// ended, which is before the line feed of a CRLF and before blank lines.
pub(super) fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let begins = usize::try_from(position.byte()).unwrap_or(usize::MAX).min(text.len());
    let ends = text.as_bytes()[begins..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + ends.filter(|&&byte| byte == b'\n').count() as u64
}

/// The delimiter that occurs most often in a header: comma, semicolon or tab.
#[must_use]
pub fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: u8| first.bytes().filter(|&byte| byte == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}
