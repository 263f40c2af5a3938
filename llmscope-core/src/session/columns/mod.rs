//! The flat form of a session: one row a request, one column a field, for spreadsheets, data frames and Parquet.
//!
//! What holds for the whole run stands as JSON in a last column, in the first row only: a program that does not know
//! the form sees one more column, and one that does gets the very same session back.

mod cell;
mod csv;
mod field;

use serde_json::{Map, Value};

pub use self::csv::is_flat_session;
pub(crate) use field::number_text;
pub use field::{Field, FieldKind, FieldValue};

use super::{AttributeValue, Session, check_record, migrate};
use crate::error::{Error, Location, Result};

/// The column with what holds for the whole run.
pub const SESSION_COLUMN: &str = "session";

/// What the name of an attribute is preceded by in the name of its column.
pub const ATTRIBUTE_PREFIX: &str = "attributes.";

/// True if a cell holds what [`Session::envelope`] gives.
#[must_use]
pub fn is_envelope(cell: &str) -> bool {
    cell.starts_with('{') && cell.contains("\"llmscope.session/")
}

impl Session {
    /// Everything but the requests, as one line of JSON: header, events, samples, the client's health.
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

    /// A session without requests, from what [`Session::envelope`] gave. `location` names the place in messages.
    ///
    /// # Errors
    /// [`Error::Format`] if it is not such a text, or of another version.
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
            problem: "requests stand in the cell that describes the whole run".to_owned(),
            fix: "give each request a row of its own".to_owned(),
        })
    }

    /// Refuses a session with a number that cannot be: a negative duration, an infinite attribute.
    ///
    /// # Errors
    /// [`Error::Format`] with the place of the request and the field.
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
    #[must_use]
    pub fn attribute_names(&self) -> Vec<&str> {
        let names = self.records.iter().flat_map(|record| record.attributes.keys());
        names.map(String::as_str).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}
