//! The flat form of a session: one row per request, one column per field, for spreadsheets, data frames and Parquet.
//!
//! What applies to the whole run is JSON in an additional column, in the first row only. A program that does not know
//! the form sees one more column; one that does restores the same session.

mod cell;
mod csv;
mod field;

use serde_json::{Map, Value};

pub use self::csv::is_flat_session;
pub(crate) use field::number_text;
pub use field::{Field, FieldKind, FieldValue};

use super::{AttributeValue, Session, check_record, migrate};
use crate::error::{Error, Location, Result};

/// The column with what applies to the whole run.
pub const SESSION_COLUMN: &str = "session";

/// The prefix of an attribute's column.
pub const ATTRIBUTE_PREFIX: &str = "attributes.";

/// True if a cell holds the output of [`Session::envelope`].
#[must_use]
pub fn is_envelope(cell: &str) -> bool {
    cell.starts_with('{') && cell.contains("\"llmscope.session/")
}

impl Session {
    /// Everything except the requests, as one line of JSON: header, events, samples, the client's health.
    ///
    /// # Errors
    /// [`Error::Format`] if a number is not finite.
    pub fn envelope(&self) -> Result<String> {
        let envelope = Self {
            header: self.header.clone(),
            records: Vec::new(),
            events: self.events.clone(),
            samples: self.samples.clone(),
            client_health: self.client_health.clone(),
        };
        let mut value = super::format::to_value(&envelope)?;
        if let Value::Object(fields) = &mut value {
            fields.shift_remove("records");
        }
        Ok(value.to_string())
    }

    /// A session without requests, from the output of [`Session::envelope`]. `location` names the place in messages.
    ///
    /// # Errors
    /// [`Error::Format`] if the text is not such an envelope, or has another version.
    pub fn from_envelope(location: &Location, text: &str) -> Result<Self> {
        let broken = |error| Error::of_json(location.clone(), &error);
        let fields: Map<String, Value> = serde_json::from_str(text).map_err(broken)?;
        migrate::to_current(&fields, location.clone())?;
        let session: Self = serde_json::from_str(text).map_err(broken)?;
        if session.records.is_empty() {
            return Ok(session);
        }
        Err(Error::Format {
            location: location.clone(),
            problem: "the cell that describes the run contains requests".to_owned(),
            fix: "give each request its own row".to_owned(),
        })
    }

    /// Rejects a session with an impossible number: a negative duration, an infinite attribute.
    ///
    /// # Errors
    /// [`Error::Format`] with the position of the request and the field.
    ///
    /// ```
    /// use llmscope_core::session::{RequestRecord, Session};
    ///
    /// let record = RequestRecord { ttft_s: Some(-0.2), ..RequestRecord::default() };
    /// let session = Session { records: vec![record], ..Session::default() };
    /// assert!(session.check("run").unwrap_err().to_string().contains("records[0]"));
    /// ```
    pub fn check(&self, source: &str) -> Result<()> {
        for (index, record) in self.records.iter().enumerate() {
            check_record(record, || Location::of(source).field(&format!("records[{index}]")))?;
            let attributes = record.attributes.iter().filter_map(|(name, value)| match value {
                AttributeValue::Number(number) => Some((format!("{ATTRIBUTE_PREFIX}{name}"), *number)),
                _ => None,
            });
            let delay = record.sched_delay_s.map(|delay_s| (Field::SchedDelay.name().to_owned(), delay_s));
            if let Some((name, number)) = delay.into_iter().chain(attributes).find(|(_, number)| !number.is_finite()) {
                return Err(Error::Format {
                    location: Location::of(source).field(&format!("records[{index}].{name}")),
                    problem: format!("{number} is not a finite number"),
                    fix: "leave it out if it was not measured".to_owned(),
                });
            }
        }
        Ok(())
    }

    /// The names of all attributes, sorted.
    ///
    /// ```
    /// use llmscope_core::session::Session;
    ///
    /// let record = r#"{"attributes":{"zone":"b","batch":4}},{"attributes":{"zone":"a"}}"#;
    /// let text = format!(r#"{{"schema":"llmscope.session/1","records":[{record}]}}"#);
    /// assert_eq!(Session::read("run.json", &text)?.session.attribute_names(), ["batch", "zone"]);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn attribute_names(&self) -> Vec<&str> {
        let names = self.records.iter().flat_map(|record| record.attributes.keys());
        names.map(String::as_str).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}
