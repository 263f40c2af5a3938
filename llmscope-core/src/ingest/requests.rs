//! Converts a table's rows to other formats, and to requests where columns have the names of a session's fields.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::numbers::Decimal;
use super::outcome::Outcome;
use super::projection::measured;
use super::stated::RoleColumns;
use super::tally::Tally;
use super::time::Time;
use super::when::Moment;
use super::{Cell, Column, Table};
use crate::error::{Error, Location, Result};
use crate::measure::Measure;
use crate::session::columns::{ATTRIBUTE_PREFIX, Field, FieldValue, number_text};
use crate::session::{AttributeValue, RequestRecord, Session, SessionHeader, check_record};

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
        Ok(self.objects(source)?.into_iter().map(|object| object + "\n").collect())
    }

    /// The table as one JSON array with an object for each row, as a table of runs is kept in a JSON document.
    ///
    /// # Errors
    /// As [`to_json_lines`](Self::to_json_lines).
    pub fn to_json_array(&self, source: &str) -> Result<String> {
        Ok(format!("[\n{}\n]\n", self.objects(source)?.join(",\n")))
    }

    /// One JSON object for each row.
    fn objects(&self, source: &str) -> Result<Vec<String>> {
        let object = |row: usize| {
            let mut object = Map::new();
            for column in &self.columns {
                let value = json(&column.cells[row]).ok_or_else(|| self.infinite(source, row, column, "JSON"))?;
                object.insert(column.name.clone(), value);
            }
            Ok(Value::Object(object).to_string())
        };
        (0..self.rows()).map(object).collect()
    }

    /// The rows as requests: columns with the names of a session's fields ([`Field`]) become those fields, all others
    /// become attributes. `source` names the file in messages.
    ///
    /// # Errors
    /// [`Error::Format`] if no column has numbers, or if a cell does not fit its field.
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
        let roles = self.roles(source)?;
        // Requests that all failed have no numbers.
        if self.numeric_columns().next().is_none() && !roles.tell_outcomes() {
            return Err(self.without_metrics(source));
        }
        let columns: Vec<_> = self.columns.iter().map(|column| self.with_numbers(column)).collect();
        let mut requests = Vec::new();
        for row in 0..self.rows() {
            let location = Location::of(source).line(self.lines[row]);
            let (record, elapsed) = self.request(source, row, &columns, &roles, &location)?;
            check_record(&record, || location)?;
            requests.push((elapsed, record));
        }
        if requests.iter().all(|(elapsed, _)| elapsed.is_some()) {
            requests.sort_by_key(|(elapsed, _)| *elapsed);
        }
        let records = requests.into_iter().map(|(_, record)| record).collect();
        let header = SessionHeader { outcomes_unknown: !roles.tell_outcomes(), ..SessionHeader::default() };
        Ok(Session { header, records, ..Session::default() })
    }

    /// The request of a row, and its time if that is counted from the start of the run.
    fn request(
        &self,
        source: &str,
        row: usize,
        columns: &[Cow<'_, Column>],
        roles: &RoleColumns<'_>,
        location: &Location,
    ) -> Result<(RequestRecord, Option<Time>)> {
        let mut record = RequestRecord::default();
        for column in columns {
            let cell = &column.cells[row];
            match field_of(&column.name) {
                _ if *cell == Cell::Missing => {}
                Some(Field::StartedAt | Field::Status | Field::ErrorType | Field::ErrorCode | Field::ErrorMessage) => {}
                Some(field) => set(field, &mut record, cell, location)?,
                None => {
                    let value = attribute(cell).ok_or_else(|| self.infinite(source, row, column, "a session"))?;
                    let name = column.name.strip_prefix(ATTRIBUTE_PREFIX).unwrap_or(&column.name);
                    record.attributes.insert(name.to_owned(), value);
                }
            }
        }
        let (outcome, moment) = (roles.outcome(row, location)?, roles.moment(row));
        if let Outcome::Failed(status, error, _) = outcome {
            record.status = status;
            record.error = Some(error);
        }
        let mut elapsed = None;
        match moment {
            Some(Moment::At(time) | Moment::Naive(time)) => record.started_at = time.get(),
            Some(Moment::Elapsed(time)) => elapsed = Some(time),
            None => {}
        }
        Ok((record, elapsed))
    }

    /// The column with numbers where each of its texts is one, or a duration with its unit.
    fn with_numbers<'c>(&self, column: &'c Column) -> Cow<'c, Column> {
        let is_text = |cell: &Cell| matches!(cell, Cell::Text(_));
        let is_id = |cell: &Cell| matches!(cell, Cell::Text(text) if text.len() > 1 && text.starts_with('0') && !text.contains('.'));
        if !column.cells.iter().any(is_text) || column.cells.iter().any(is_id) {
            return Cow::Borrowed(column);
        }
        let measure = Measure::Column(column.name.clone());
        let number = |cell: &Cell| {
            let location = || Location::of("");
            measured(cell, &measure, None, Decimal::Point, location, &mut Tally::default()).ok()
        };
        let cell = |number: f64| if number.is_nan() { Cell::Missing } else { Cell::Number(number) };
        let cells: Option<Vec<Cell>> = column.cells.iter().map(|one| number(one).map(cell)).collect();
        cells.map_or(Cow::Borrowed(column), |cells| Cow::Owned(Column { name: column.name.clone(), cells }))
    }

    fn infinite(&self, source: &str, row: usize, column: &Column, target: &str) -> Error {
        Error::Format {
            location: Location::of(source).line(self.lines[row]).field(&column.name),
            problem: format!("{target} cannot hold \"{}\"", text(&column.cells[row])),
            fix: "leave the cell empty, or convert to CSV".to_owned(),
        }
    }

    fn without_metrics(&self, source: &str) -> Error {
        let found = self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        Error::Format {
            location: Location::of(source),
            problem: format!("no column has numbers ({})", crate::error::excerpt(&found)),
            fix: "give a table with a column of numbers".to_owned(),
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
