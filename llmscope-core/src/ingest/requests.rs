//! Converts a table's rows to other formats, and to requests where columns have the names of a session's fields.

use serde_json::{Map, Value};

use super::{Cell, Column, Table};
use crate::error::{Error, Location, Result};
use crate::session::columns::{ATTRIBUTE_PREFIX, Field, FieldKind, FieldValue, number_text};
use crate::session::{AttributeValue, RequestRecord, Session, check_record};

impl Table {
    /// The table as comma-separated values. CSV has no types: text that looks like a number is read back as a number.
    ///
    /// # Errors
    /// [`Error::Format`] if a row cannot be written.
    pub fn to_csv(&self, source: &str) -> Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |row: Vec<String>| writer.write_record(row).map_err(|error| Error::of_csv(source, &error));
        write(self.columns.iter().map(|column| column.name.clone()).collect())?;
        for row in 0..self.rows() {
            write(self.columns.iter().map(|column| text(&column.cells[row])).collect())?;
        }
        Ok(String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default())
    }

    /// The table as JSON Lines, one object per row; a missing cell is `null`.
    ///
    /// # Errors
    /// [`Error::Format`] with line and column for an infinite number, which JSON cannot represent.
    pub fn to_json_lines(&self, source: &str) -> Result<String> {
        let mut lines = String::new();
        for row in 0..self.rows() {
            let mut object = Map::new();
            for column in &self.columns {
                let value = json(&column.cells[row]).ok_or_else(|| self.infinite(source, row, column, "JSON"))?;
                object.insert(column.name.clone(), value);
            }
            lines.push_str(&Value::Object(object).to_string());
            lines.push('\n');
        }
        Ok(lines)
    }

    /// The rows as requests: columns with the names of a session's fields ([`Field`]) become those fields, all others
    /// become attributes. `source` names the file in messages.
    ///
    /// # Errors
    /// [`Error::Format`] if no column holds a duration or an amount, or if a cell does not fit its field.
    ///
    /// ```
    /// use llmscope_core::ingest::{self, Content};
    ///
    /// let log = ingest::read("log.csv", b"model,ttft_s,region\nsmall,0.31,eu\nsmall,0.29,us\n", None)?;
    /// let Content::Table(table) = log.content else { unreachable!() };
    /// let session = table.to_session("log.csv")?;
    /// assert_eq!(session.records[1].ttft_s, Some(0.29));
    /// assert_eq!(session.records[1].attributes["region"].label(), "us");
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn to_session(&self, source: &str) -> Result<Session> {
        let fields: Vec<Option<Field>> = self.columns.iter().map(|column| field_of(&column.name)).collect();
        if !fields.iter().flatten().any(|field| field.kind() == FieldKind::Number) {
            return Err(self.without_metrics(source));
        }
        let mut session = Session::default();
        for row in 0..self.rows() {
            let location = Location::of(source).line(self.lines[row]);
            let mut record = RequestRecord::default();
            for (column, field) in self.columns.iter().zip(&fields) {
                match field {
                    _ if column.cells[row] == Cell::Missing => {}
                    Some(field) => set(*field, &mut record, &column.cells[row], &location)?,
                    None => {
                        let value = attribute(&column.cells[row]);
                        let value = value.ok_or_else(|| self.infinite(source, row, column, "a session"))?;
                        let name = column.name.strip_prefix(ATTRIBUTE_PREFIX).unwrap_or(&column.name);
                        record.attributes.insert(name.to_owned(), value);
                    }
                }
            }
            check_record(&record, || location)?;
            session.records.push(record);
        }
        Ok(session)
    }

    fn infinite(&self, source: &str, row: usize, column: &Column, target: &str) -> Error {
        Error::Format {
            location: Location::of(source).line(self.lines[row]).field(&column.name),
            problem: format!("{target} cannot hold \"{}\"", text(&column.cells[row])),
            fix: "leave the cell empty, or convert to CSV".to_owned(),
        }
    }

    fn without_metrics(&self, source: &str) -> Error {
        let of_kind = Field::ALL.iter().filter(|field| field.kind() == FieldKind::Number);
        let known = of_kind.map(|field| field.name()).collect::<Vec<_>>().join(", ");
        let found = self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        Error::Format {
            location: Location::of(source),
            problem: format!("the meaning of its columns is unknown ({})", crate::error::excerpt(&found)),
            fix: format!("to convert it to a session, name one of them {known} (in seconds or dollars)"),
        }
    }
}

/// The field of a column, including fields of nested objects such as `error.type`.
fn field_of(name: &str) -> Option<Field> {
    let name = name.strip_prefix("error.").map_or(name.to_owned(), |field| format!("error_{field}"));
    Field::from_name(&name)
}

fn set(field: Field, record: &mut RequestRecord, cell: &Cell, location: &Location) -> Result<()> {
    let value = match cell {
        Cell::Number(number) => FieldValue::Number(*number),
        other => FieldValue::Text(text(other)),
    };
    field.set(record, &value).map_err(|error| error.in_cell(location.clone().field(field.name())))
}

/// `None` for an infinite number.
fn attribute(cell: &Cell) -> Option<AttributeValue> {
    match cell {
        Cell::Number(number) => number.is_finite().then_some(AttributeValue::Number(*number)),
        Cell::Text(text) if text == "true" || text == "false" => Some(AttributeValue::Bool(text == "true")),
        other => Some(AttributeValue::Text(text(other))),
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Missing => String::new(),
        Cell::Number(number) => number_text(*number),
        Cell::Text(text) => text.clone(),
    }
}

/// `None` for an infinite number.
fn json(cell: &Cell) -> Option<Value> {
    match cell {
        Cell::Missing => Some(Value::Null),
        // The digits are kept: a whole number stays one.
        Cell::Number(number) if number.is_finite() => serde_json::from_str(&number_text(*number)).ok(),
        Cell::Number(_) => None,
        Cell::Text(text) => Some(Value::from(text.as_str())),
    }
}
