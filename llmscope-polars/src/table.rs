//! Converts frames to tables and back.

use llmscope_core::ingest::{Cell, Column as TableColumn, Table};
use llmscope_core::session::columns::FieldValue;
use polars::prelude::{Column, DataFrame};

use crate::error::{Result, guarded};
use crate::value;

/// A frame as a table: numbers of any type, text, booleans, times in RFC 3339 if they have a time zone, durations in
/// seconds, categories as text, lists as JSON. Null and NaN are missing. `source` names the frame in messages.
///
/// # Errors
/// [`Error::Unsupported`](crate::Error::Unsupported) for bytes that are not UTF-8, and for 128-bit numbers.
///
/// ```
/// use llmscope_core::ingest::Cell;
/// use llmscope_polars::{polars::prelude::df, table_of};
///
/// let table = table_of("frame", &df!("n" => [Some(1_i32), None], "model" => ["small", "large"])?)?;
/// assert_eq!(table.column("n").unwrap().cells, [Cell::Number(1.0), Cell::Missing]);
/// # Ok::<(), llmscope_polars::Error>(())
/// ```
pub fn table_of(source: &str, frame: &DataFrame) -> Result<Table> {
    let columns = value::columns(source, frame)?.into_iter();
    let columns = columns.map(|(name, values)| TableColumn { name, cells: values.into_iter().map(cell).collect() });
    Ok(Table { columns: columns.collect(), lines: (1..=frame.height() as u64).collect(), of_runs: false })
}

/// A table as a frame: a numeric column as `Float64`, any other as `String`.
///
/// # Errors
/// [`Error::Polars`](crate::Error::Polars) if two columns have the same name.
pub fn table_to_frame(table: &Table) -> Result<DataFrame> {
    let columns = table.columns.iter().map(|column| {
        let name = column.name.as_str().into();
        let numbers = column.cells.iter().map(|cell| match cell {
            Cell::Missing => Some(None),
            Cell::Number(number) => Some(Some(*number)),
            Cell::Text(_) => None,
        });
        match numbers.collect::<Option<Vec<_>>>() {
            Some(numbers) => Column::new(name, numbers),
            None => Column::new(name, column.cells.iter().map(Cell::label).collect::<Vec<_>>()),
        }
    });
    guarded("a table", || DataFrame::new(table.rows(), columns.collect()))
}

fn cell(value: Option<FieldValue>) -> Cell {
    match value {
        None => Cell::Missing,
        Some(FieldValue::Text(text)) => Cell::Text(text),
        Some(FieldValue::Number(number)) => Cell::Number(number),
        Some(value) => value.number().map_or_else(|| Cell::Text(value.to_string()), Cell::Number),
    }
}
