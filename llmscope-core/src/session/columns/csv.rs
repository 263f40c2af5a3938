//! The flat form as comma-separated values.

use super::field::{FieldValue, flag_of, number_text};
use super::{ATTRIBUTE_PREFIX, Field, FieldKind, SESSION_COLUMN, is_envelope};
use crate::error::{Error, Location, Result};
use crate::session::{AttributeValue, ReadSession, RequestRecord, Session, check_record};

/// True if a text is a session that [`Session::to_csv`] wrote: it has the column, and the first row describes the run.
#[must_use]
pub fn is_flat_session(text: &str) -> bool {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let Ok(header) = reader.headers() else { return false };
    let Some(place) = header.iter().position(|name| name == SESSION_COLUMN) else { return false };
    let first = reader.records().next();
    matches!(first, Some(Ok(row)) if row.get(place).is_some_and(is_envelope))
}

impl Session {
    /// The session as comma-separated values, one request a row; see `docs/session-format.md`.
    ///
    /// # Errors
    /// [`Error::Format`] if a number is not finite.
    ///
    /// ```
    /// use llmscope_core::session::Session;
    ///
    /// let text = r#"{"schema":"llmscope.session/1","records":[{"ttft_s":0.21},{"status":"timeout"}]}"#;
    /// let session = Session::read("run.json", text)?.session;
    /// let csv = session.to_csv()?;
    /// assert!(csv.starts_with("started_at,provider,model,"));
    /// assert_eq!(Session::from_csv("run.csv", &csv)?.session, session);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn to_csv(&self) -> Result<String> {
        self.check("session")?;
        let attributes = self.attribute_names();
        let mut header: Vec<String> = Field::ALL.iter().map(|field| field.name().to_owned()).collect();
        header.extend(attributes.iter().map(|name| format!("{ATTRIBUTE_PREFIX}{name}")));
        header.push(SESSION_COLUMN.to_owned());
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |row: &[String]| writer.write_record(row).map_err(|error| Error::of_csv("session", &error));
        write(&header)?;
        let mut envelope = self.envelope()?;
        for (index, record) in self.records.iter().enumerate() {
            let mut row: Vec<String> = Field::ALL.iter().map(|&field| field_cell(field, record)).collect();
            for &name in &attributes {
                row.push(attribute_cell(record.attributes.get(name), index, name)?);
            }
            row.push(std::mem::take(&mut envelope));
            write(&row)?;
        }
        if self.records.is_empty() {
            let mut row = vec![String::new(); header.len() - 1];
            row.push(envelope);
            write(&row)?;
        }
        let bytes = writer.into_inner().unwrap_or_default();
        // Made of texts, so it is one.
        Ok(String::from_utf8(bytes).unwrap_or_default())
    }

    /// Reads what [`Session::to_csv`] gave, also after a spreadsheet or a data frame has written it anew with its
    /// columns in another order. `source` names the file in messages.
    ///
    /// # Errors
    /// [`Error::Format`] with file, line and column, and what to do.
    pub fn from_csv(source: &str, text: &str) -> Result<ReadSession> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| Error::of_csv(source, &error))?.clone();
        let columns = header.iter().map(|name| column(source, name)).collect::<Result<Vec<_>>>()?;
        let mut session: Option<Self> = None;
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(|error| Error::of_csv(source, &error))? {
            let location = Location::of(source).line(row.position().map_or(0, csv::Position::line));
            let mut record = RequestRecord::default();
            let mut is_request = false;
            for (column, cell) in columns.iter().zip(&row).filter(|(_, cell)| !cell.is_empty()) {
                match column {
                    Column::Session if session.is_none() => {
                        session = Some(Self::from_envelope(&location.clone().field(SESSION_COLUMN), cell)?);
                    }
                    Column::Session => return Err(second_session(location)),
                    Column::Field(field) => {
                        set(*field, &mut record, cell, &location)?;
                        is_request = true;
                    }
                    Column::Attribute(name) => {
                        let value = attribute(cell).ok_or_else(|| broken_literal(&location, name, cell))?;
                        record.attributes.insert(name.clone(), value);
                        is_request = true;
                    }
                }
            }
            let Some(session) = session.as_mut() else { return Err(no_session(location)) };
            if is_request {
                check_record(&record, || location)?;
                session.records.push(record);
            }
        }
        let session = session.ok_or_else(|| no_session(Location::of(source)))?;
        Ok(ReadSession { session, notices: Vec::new() })
    }
}

enum Column {
    Field(Field),
    Attribute(String),
    Session,
}

fn column(source: &str, name: &str) -> Result<Column> {
    if name == SESSION_COLUMN {
        return Ok(Column::Session);
    }
    if let Some(attribute) = name.strip_prefix(ATTRIBUTE_PREFIX) {
        return Ok(Column::Attribute(attribute.to_owned()));
    }
    Field::from_name(name).map(Column::Field).ok_or_else(|| Error::Format {
        location: Location::of(source).line(1).field(name),
        problem: "no field of a request has this name".to_owned(),
        fix: format!("call the column {ATTRIBUTE_PREFIX}{name}, or remove it"),
    })
}

fn field_cell(field: Field, record: &RequestRecord) -> String {
    match field.of(record) {
        None => String::new(),
        Some(FieldValue::Text(text)) if needs_literal(&text) => literal(&text),
        Some(value) => value.to_string(),
    }
}

fn set(field: Field, record: &mut RequestRecord, cell: &str, location: &Location) -> Result<()> {
    let text = match field.kind() {
        FieldKind::Text if cell.starts_with('"') => {
            serde_json::from_str(cell).map_err(|_| broken_literal(location, field.name(), cell))?
        }
        _ => cell.to_owned(),
    };
    field.set(record, &FieldValue::Text(text)).map_err(|error| located(error, location))
}

/// A cell of an attribute, from which its type can be told.
fn attribute_cell(value: Option<&AttributeValue>, index: usize, name: &str) -> Result<String> {
    Ok(match value {
        None => String::new(),
        Some(AttributeValue::Number(number)) if number.is_finite() => number_text(*number),
        Some(AttributeValue::Number(number)) => {
            return Err(Error::Format {
                location: Location::of("session").field(&format!("records[{index}].{ATTRIBUTE_PREFIX}{name}")),
                problem: format!("{number} is not a finite number"),
                fix: "leave the attribute out if it was not measured".to_owned(),
            });
        }
        Some(AttributeValue::Bool(flag)) => flag.to_string(),
        Some(AttributeValue::Text(text)) if needs_literal(text) || means_something_else(text) => literal(text),
        Some(AttributeValue::Text(text)) => text.clone(),
    })
}

/// The value of an attribute's cell, which is not empty; `None` for a broken literal.
fn attribute(cell: &str) -> Option<AttributeValue> {
    if cell.starts_with('"') {
        return serde_json::from_str(cell).ok().map(AttributeValue::Text);
    }
    Some(attribute_of(cell))
}

/// A number, a truth value or a text, whichever the text of a cell is.
pub(crate) fn attribute_of(cell: &str) -> AttributeValue {
    let number = cell.parse().ok().filter(|number: &f64| number.is_finite());
    match (number, flag_of(cell)) {
        (Some(number), _) => AttributeValue::Number(number),
        (None, Some(flag)) => AttributeValue::Bool(flag),
        (None, None) => AttributeValue::Text(cell.to_owned()),
    }
}

/// True for a text that could not be told from no text or from a literal, or that a spreadsheet would run as a formula
/// (OWASP, CSV injection: a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break).
fn needs_literal(text: &str) -> bool {
    text.is_empty() || text.starts_with(['"', '=', '+', '-', '@', '\t', '\r', '\n'])
}

/// True for a text that would be read as a number or a truth value, by this reader or a more generous one.
fn means_something_else(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.parse::<f64>().is_ok() || flag_of(text).is_some()
}

/// A text in quotes, as JSON has it.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What a field refused, at its place in a file.
pub(crate) fn located(error: Error, location: &Location) -> Error {
    match error {
        Error::Parameter { name, value, expected } => Error::Format {
            location: location.clone().field(name),
            problem: format!("\"{value}\" is not {expected}"),
            fix: "correct the cell, or leave it empty".to_owned(),
        },
        other => other,
    }
}

fn broken_literal(location: &Location, name: &str, cell: &str) -> Error {
    Error::Format {
        location: location.clone().field(name),
        problem: format!("{} begins with a quote and is no JSON string", crate::error::excerpt(cell)),
        fix: "end it with a quote, with \\ before quotes inside".to_owned(),
    }
}

fn no_session(location: Location) -> Error {
    Error::Format {
        location: location.field(SESSION_COLUMN),
        problem: "no description of the run stands in the first row".to_owned(),
        fix: "keep the first row first; without it the file is a table (--from csv)".to_owned(),
    }
}

fn second_session(location: Location) -> Error {
    Error::Format {
        location: location.field(SESSION_COLUMN),
        problem: "a second session begins here".to_owned(),
        fix: "keep one session a file".to_owned(),
    }
}
