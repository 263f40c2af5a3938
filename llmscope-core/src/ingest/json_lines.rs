//! Reads JSON Lines and JSON arrays of objects.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::documents::{self, Document};
use super::{Cell, Column, Table, wrapped};
use crate::error::{Error, Location, Result, excerpt};
use crate::session::{Warning, is_torn, torn_tail};

/// Reads objects into columns. Fields of nested objects get dotted names, such as `timings.prompt_ms`.
pub(super) fn read(source: &str, text: &str) -> Result<(Table, Vec<Warning>)> {
    let (mut builder, mut warnings) = (Builder::default(), Vec::new());
    if text.trim_start().starts_with('[') {
        let rows: Vec<Value> =
            serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
        for (row, value) in (1..).zip(&rows) {
            builder.add(row, value, || Location::of(source).field(&format!("[{}]", row - 1)))?;
        }
        return Ok((builder.table, warnings));
    }
    if let Some(object) = one_object(text) {
        match wrapped::rows(&object) {
            Some((path, rows)) => {
                for (row, value) in (1..).zip(rows) {
                    builder.add(row, value, || Location::of(source).field(&format!("{path}[{}]", row - 1)))?;
                }
            }
            None => builder.add(1, &object, || Location::of(source))?,
        }
        return Ok((builder.table, warnings));
    }
    if let Some(objects) = spread(source, text) {
        for Document { value, line } in &objects {
            builder.add(*line, value, || Location::of(source).line(*line))?;
        }
        return Ok((builder.table, warnings));
    }
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if line.trim().is_empty() {
            continue;
        }
        let location = || Location::of(source).line(number);
        match serde_json::from_str::<Value>(line.trim_end()) {
            Ok(value) => builder.add(number, &value, location)?,
            Err(_) if is_torn(line) && !builder.table.lines.is_empty() => warnings.push(torn_tail(location())),
            Err(error) => return Err(Error::of_json(location(), &error)),
        }
    }
    Ok((builder.table, warnings))
}

/// One object, on one line or over several, is a table with one row, or holds one.
fn one_object(text: &str) -> Option<Value> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next()?;
    if lines.next().is_some() && serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok() {
        return None;
    }
    serde_json::from_str(text).ok().filter(Value::is_object)
}

/// The objects of a text in which the first one takes several lines; `None` for any other text, and for one with a fault.
fn spread(source: &str, text: &str) -> Option<Vec<Document<Value>>> {
    let first = text.lines().find(|line| !line.trim().is_empty())?;
    let is_open = serde_json::from_str::<serde::de::IgnoredAny>(first).is_err_and(|error| error.is_eof());
    let (objects, warnings) = documents::read(source, text).ok().filter(|_| is_open)?;
    warnings.is_empty().then_some(objects)
}

/// A table that grows row by row; the rows may have different fields.
#[derive(Default)]
struct Builder {
    table: Table,
    /// The index of each column by its name.
    places: BTreeMap<String, usize>,
}

impl Builder {
    fn add(&mut self, line: u64, value: &Value, location: impl Fn() -> Location) -> Result<()> {
        let Value::Object(fields) = value else {
            return Err(Error::Format {
                location: location(),
                problem: format!("expected an object, found {}", excerpt(&value.to_string())),
                fix: "give one JSON object per line, such as {\"latency\": 0.31}".to_owned(),
            });
        };
        self.table.lines.push(line);
        self.add_fields("", fields);
        let rows = self.table.lines.len();
        for column in &mut self.table.columns {
            column.cells.resize(rows, Cell::Missing);
        }
        Ok(())
    }

    fn add_fields(&mut self, prefix: &str, fields: &Map<String, Value>) {
        for (name, value) in fields {
            let name = format!("{prefix}{name}");
            if let Value::Object(nested) = value {
                self.add_fields(&format!("{name}."), nested);
                continue;
            }
            let row = self.table.lines.len() - 1;
            let columns = &mut self.table.columns;
            let place = *self.places.entry(name).or_insert_with_key(|name| {
                columns.push(Column { name: name.clone(), cells: Vec::new() });
                columns.len() - 1
            });
            // If a path occurs twice in a row, as a dotted name and as a nested field, the last value counts.
            columns[place].cells.resize(row + 1, Cell::Missing);
            columns[place].cells[row] = cell(value);
        }
    }
}

/// A value as a cell. Arrays become text; objects are flattened by the caller.
pub(super) fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Missing,
        Value::Number(number) => number.as_f64().map_or(Cell::Missing, Cell::Number),
        Value::String(text) => Cell::Text(text.clone()),
        other => Cell::Text(other.to_string()),
    }
}
