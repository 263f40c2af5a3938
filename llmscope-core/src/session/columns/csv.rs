//! The flat form as comma-separated values.

use super::{ATTRIBUTE_PREFIX, Field, SESSION_COLUMN, is_envelope};
use crate::error::{Error, Location, Result};
use crate::session::{AttributeValue, ReadSession, RequestRecord, Session, check_record};

/// True if [`Session::to_csv`] wrote the text: it has the session column, and its first row describes the run.
#[must_use]
pub fn is_flat_session(text: &str) -> bool {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let Ok(header) = reader.headers() else { return false };
    let Some(place) = header.iter().position(|name| name == SESSION_COLUMN) else { return false };
    let first = reader.records().next();
    matches!(first, Some(Ok(row)) if row.get(place).is_some_and(is_envelope))
}

impl Session {
    /// The session as comma-separated values, one request per row; see `docs/session-format.md`.
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
        for record in &self.records {
            let cell = |field: &Field| field.cell(record, &self.header).unwrap_or_default();
            let mut row: Vec<String> = Field::ALL.iter().map(cell).collect();
            for &name in &attributes {
                row.push(record.attributes.get(name).map(AttributeValue::cell).unwrap_or_default());
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
        // Every part is text, so the result is valid UTF-8.
        Ok(String::from_utf8(bytes).unwrap_or_default())
    }

    /// Reads the output of [`Session::to_csv`], even after a spreadsheet or a data frame has saved it with its columns
    /// in another order. `source` names the file in messages.
    ///
    /// # Errors
    /// [`Error::Format`] with file, line and column, the problem and a fix.
    pub fn from_csv(source: &str, text: &str) -> Result<ReadSession> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| Error::of_csv(source, &error))?.clone();
        let columns = header.iter().map(|name| column(source, name)).collect::<Result<Vec<_>>>()?;
        let place = header.iter().position(|name| name == SESSION_COLUMN);
        let mut session: Option<Self> = None;
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(|error| Error::of_csv(source, &error))? {
            let location = Location::of(source).line(row.position().map_or(0, csv::Position::line));
            if let Some(cell) = place.and_then(|place| row.get(place)).filter(|cell| !cell.is_empty()) {
                if session.is_some() {
                    return Err(second_session(location));
                }
                session = Some(Self::from_envelope(&location.clone().field(SESSION_COLUMN), cell)?);
            }
            let Some(session) = session.as_mut() else { return Err(no_session(location)) };
            let mut record = RequestRecord::default();
            let mut is_request = false;
            for (column, cell) in columns.iter().zip(&row).filter(|(_, cell)| !cell.is_empty()) {
                let at = |name: &str| location.clone().field(name);
                match column {
                    Column::Session => continue,
                    Column::Field(field) => field
                        .set_cell(&mut record, cell, &session.header)
                        .map_err(|error| error.in_cell(at(field.name())))?,
                    Column::Attribute(name) => {
                        let value = AttributeValue::from_cell(cell)
                            .map_err(|error| error.in_cell(at(&format!("{ATTRIBUTE_PREFIX}{name}"))))?;
                        record.attributes.insert(name.clone(), value);
                    }
                }
                is_request = true;
            }
            if is_request {
                check_record(&record, || location)?;
                session.records.push(record);
            }
        }
        let session = session.ok_or_else(|| no_session(Location::of(source)))?;
        Ok(ReadSession { session, warnings: Vec::new() })
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
        fix: format!("rename the column to {ATTRIBUTE_PREFIX}{name}, or remove it"),
    })
}

fn no_session(location: Location) -> Error {
    Error::Format {
        location: location.field(SESSION_COLUMN),
        problem: "the first row does not describe the run".to_owned(),
        fix: "keep the first row in its place, or read the file as a plain CSV table".to_owned(),
    }
}

fn second_session(location: Location) -> Error {
    Error::Format {
        location: location.field(SESSION_COLUMN),
        problem: "a second session begins here".to_owned(),
        fix: "keep one session per file".to_owned(),
    }
}
