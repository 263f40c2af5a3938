//! Sessions in files: one JSON document; JSON Lines with a header, then one request or event per line; or a table (see
//! `columns`).

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::columns::is_flat_session;
use super::{ClientHealth, MachineSample, RequestRecord, RunEvent, Session, SessionHeader, migrate};
use crate::error::{Error, Location, Result};
use crate::files::write_atomically;

/// A problem in a file that did not prevent reading it.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    /// Where.
    pub location: Location,
    /// What was found, and how it was handled.
    pub message: String,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

/// A session from a file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReadSession {
    /// The session.
    pub session: Session,
    /// Problems that did not prevent reading.
    pub warnings: Vec<Warning>,
}

/// A line of a session in JSON Lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(title = "LLMscope session line")]
pub(crate) enum SessionLine {
    /// The first line: what applies to the whole run.
    Session(Box<SessionHeader>),
    /// One request.
    Request(Box<RequestRecord>),
    /// An event.
    Event(RunEvent),
    /// The state of the machine.
    Sample(MachineSample),
    /// The client's report on itself: the last line of a run that ended normally.
    ClientHealth(ClientHealth),
}

impl Session {
    /// Reads a session from the text of a file, in any of its forms. `source` names the file in messages.
    ///
    /// # Errors
    /// [`Error::Format`] with file, line and field, the problem and a fix.
    ///
    /// ```
    /// use llmscope_core::session::Session;
    ///
    /// let text = r#"{"schema":"llmscope.session/1","records":[{"ttft_s":0.21},{"status":"timeout"}]}"#;
    /// let read = Session::read("run.json", text)?;
    /// assert_eq!(read.session.records.len(), 2);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn read(source: &str, text: &str) -> Result<ReadSession> {
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        match first {
            first if Self::begins_lines(first) => read_lines(source, text),
            first if !first.starts_with('{') && is_flat_session(text) => Self::from_csv(source, text),
            _ => read_document(source, text),
        }
    }

    /// True if this is the first line of a session in JSON Lines.
    pub(crate) fn begins_lines(line: &str) -> bool {
        serde_json::from_str::<Map<String, Value>>(line).is_ok_and(|header| header.contains_key("kind"))
    }

    /// The session as one JSON document, with one record per line for reading and comparing.
    ///
    /// # Errors
    /// [`Error::Format`] if a number is not finite.
    ///
    /// ```
    /// use llmscope_core::session::{RequestRecord, Session};
    ///
    /// let record = RequestRecord { ttft_s: Some(0.21), ..RequestRecord::default() };
    /// let session = Session { records: vec![record], ..Session::default() };
    /// assert_eq!(Session::read("run.json", &session.to_json()?)?.session, session);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn to_json(&self) -> Result<String> {
        let mut text = String::from("{\n");
        let Value::Object(header) = to_value(&self.header)? else { return Ok(text) };
        for (name, value) in &header {
            text.push_str(&format!("  {}: {value},\n", Value::from(name.as_str())));
        }
        push_array(&mut text, "records", &self.records)?;
        if !self.events.is_empty() {
            text.push_str(",\n");
            push_array(&mut text, "events", &self.events)?;
        }
        if !self.samples.is_empty() {
            text.push_str(",\n");
            push_array(&mut text, "samples", &self.samples)?;
        }
        if let Some(health) = &self.client_health {
            text.push_str(&format!(",\n  \"client_health\": {}", to_value(health)?));
        }
        text.push_str("\n}\n");
        Ok(text)
    }

    /// The session as JSON Lines.
    ///
    /// # Errors
    /// [`Error::Format`] if a number is not finite.
    ///
    /// ```
    /// use llmscope_core::session::{RequestRecord, Session};
    ///
    /// let session = Session { records: vec![RequestRecord::default(); 2], ..Session::default() };
    /// assert_eq!(session.to_json_lines()?.lines().count(), 3); // the header, and a line for each request
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn to_json_lines(&self) -> Result<String> {
        let header = SessionLine::Session(Box::new(self.header.clone()));
        let requests = self.records.iter().map(|record| SessionLine::Request(Box::new(record.clone())));
        let events = self.events.iter().cloned().map(SessionLine::Event);
        let samples = self.samples.iter().cloned().map(SessionLine::Sample);
        let health = self.client_health.iter().cloned().map(SessionLine::ClientHealth);
        let mut text = String::new();
        for line in std::iter::once(header).chain(requests).chain(events).chain(samples).chain(health) {
            text.push_str(&line.to_text()?);
        }
        Ok(text)
    }

    /// Writes the session as one JSON document, atomically: the file has either the old or the complete new content.
    ///
    /// # Errors
    /// [`Error::Io`] with the path and the operating system's message.
    pub fn write_json(&self, path: &Path) -> Result<()> {
        write_atomically(path, self.to_json()?.as_bytes())
    }

    /// The JSON Schema of a session document.
    #[must_use]
    pub fn json_schema() -> Value {
        schemars::schema_for!(Session).to_value()
    }

    /// The JSON Schema of one line of a session in JSON Lines.
    #[must_use]
    pub fn json_lines_schema() -> Value {
        schemars::schema_for!(SessionLine).to_value()
    }
}

impl SessionLine {
    /// Reads a line that is not the first.
    pub(crate) fn read(line: &str, location: impl Fn() -> Location) -> Result<Self> {
        // Nearly every line is a request as llmscope writes it: its kind is recognized without parsing the line twice.
        let read = if line.starts_with(r#"{"kind":"request","#) {
            serde_json::from_str(line).map(Self::Request)
        } else {
            serde_json::from_str(line)
        };
        read.map_err(|error| Error::of_json(location(), &error))
    }

    /// The line with its line feed.
    pub(super) fn to_text(&self) -> Result<String> {
        Ok(format!("{}\n", to_value(self)?))
    }
}

fn read_document(source: &str, text: &str) -> Result<ReadSession> {
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    migrate::to_current(&object, Location::of(source))?;
    // Parses the text again, so that errors name their line.
    let session: Session = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    check_records(source, &session.records)?;
    Ok(ReadSession { session, warnings: Vec::new() })
}

fn read_lines(source: &str, text: &str) -> Result<ReadSession> {
    let (mut session, mut warnings) = (Session::default(), Vec::new());
    let mut lines = LineReader::new(source);
    for line in text.split_inclusive('\n') {
        match lines.read(line) {
            Ok(None) => {}
            Ok(Some(SessionLine::Session(header))) => session.header = *header,
            Ok(Some(SessionLine::Request(record))) => session.records.push(*record),
            Ok(Some(SessionLine::Event(event))) => session.events.push(event),
            Ok(Some(SessionLine::Sample(sample))) => session.samples.push(sample),
            Ok(Some(SessionLine::ClientHealth(health))) => session.client_health = Some(health),
            Err(_) if lines.has_header && is_torn(line) => warnings.push(torn_tail(lines.location())),
            Err(error) => return Err(error),
        }
    }
    Ok(ReadSession { session, warnings })
}

/// Reads the lines of one session in order.
pub(super) struct LineReader<'s> {
    source: &'s str,
    /// The number of the last line, from 1.
    number: u64,
    has_header: bool,
}

impl<'s> LineReader<'s> {
    pub(super) const fn new(source: &'s str) -> Self {
        Self { source, number: 0, has_header: false }
    }

    /// Reads the next line; `None` for an empty one. The first line is the header.
    pub(super) fn read(&mut self, line: &str) -> Result<Option<SessionLine>> {
        self.number += 1;
        let line = line.trim_end();
        if line.trim().is_empty() {
            return Ok(None);
        }
        if !self.has_header {
            let header = serde_json::from_str(line).map_err(|error| Error::of_json(self.location(), &error))?;
            migrate::to_current(&header, self.location())?;
        }
        let read = SessionLine::read(line, || self.location())?;
        match &read {
            SessionLine::Session(_) if self.has_header => return Err(second_session(self.location())),
            SessionLine::Session(_) => self.has_header = true,
            SessionLine::Request(record) => check_record(record, || self.location())?,
            SessionLine::Event(_) | SessionLine::Sample(_) | SessionLine::ClientHealth(_) => {}
        }
        Ok(Some(read))
    }

    /// True once the header was read.
    pub(super) const fn has_header(&self) -> bool {
        self.has_header
    }

    /// The number of the last line, from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The place of the last line.
    pub(super) fn location(&self) -> Location {
        Location::of(self.source).line(self.number)
    }
}

/// The error for two sessions in one file.
pub(crate) fn second_session(location: Location) -> Error {
    Error::Format {
        location,
        problem: "a second session begins here".to_owned(),
        fix: "keep one session per file".to_owned(),
    }
}

/// True for a line that was truncated while it was written: the last one, without its line feed.
pub(crate) fn is_torn(line: &str) -> bool {
    !line.ends_with('\n')
}

pub(crate) fn torn_tail(location: Location) -> Warning {
    Warning { location, message: "the last line is incomplete, as after a crash, and was skipped".to_owned() }
}

/// Rejects records with an impossible duration or amount, by their position in the file.
pub(crate) fn check_records(source: &str, records: &[RequestRecord]) -> Result<()> {
    let place = |index: usize| Location::of(source).field(&format!("records[{index}]"));
    records.iter().enumerate().try_for_each(|(index, record)| check_record(record, || place(index)))
}

/// Rejects a record with an impossible duration or amount; `location` is the record's place.
pub(crate) fn check_record(record: &RequestRecord, location: impl FnOnce() -> Location) -> Result<()> {
    match record.impossible_field() {
        None => Ok(()),
        Some((field, value)) => {
            let at = location();
            let field = at.field.as_ref().map_or(field.to_owned(), |outer| format!("{outer}.{field}"));
            Err(Error::Format {
                location: at.field(&field),
                problem: format!("{value} cannot be a duration or an amount"),
                fix: "leave the field out if it was not measured".to_owned(),
            })
        }
    }
}

pub(super) fn to_value<T: Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::of_json(Location::of("session"), &error))
}

fn push_array<T: Serialize>(text: &mut String, name: &str, items: &[T]) -> Result<()> {
    text.push_str(&format!("  \"{name}\": ["));
    for (index, item) in items.iter().enumerate() {
        text.push_str(if index == 0 { "\n    " } else { ",\n    " });
        text.push_str(&to_value(item)?.to_string());
    }
    text.push_str(if items.is_empty() { "]" } else { "\n  ]" });
    Ok(())
}
