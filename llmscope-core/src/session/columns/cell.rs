//! Cells of text: what a value is written as, so that its type can be told and a spreadsheet runs none.

use super::field::{FieldValue, flag_of, number_text};
use super::{Field, FieldKind};
use crate::error::{Error, Result, excerpt};
use crate::session::{AttributeValue, RequestRecord, SessionHeader};

impl Field {
    /// The field's value in a request as the text of a cell; `None` where it was not recorded. Provider and model that
    /// only the header names stand there too, for whoever groups by them; a request's own equal name is in quotes.
    #[must_use]
    pub fn cell(self, record: &RequestRecord, header: &SessionHeader) -> Option<String> {
        let inherited = self.inherited(header);
        Some(match self.of(record) {
            None => inherited?.to_owned(),
            Some(FieldValue::Text(text)) if needs_literal(&text) || inherited == Some(&text) => literal(&text),
            Some(value) => value.to_string(),
        })
    }

    /// Puts the text of a cell, as [`Field::cell`] gives it, into a request.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the field cannot hold the value.
    pub fn set_cell(self, record: &mut RequestRecord, cell: &str, header: &SessionHeader) -> Result<()> {
        if self.inherited(header) == Some(cell) {
            return Ok(());
        }
        let text = if self.kind() == FieldKind::Text { text_of(self.name(), cell)? } else { cell.to_owned() };
        self.set(record, &FieldValue::Text(text))
    }

    /// What the header says for requests that do not, unless it would have to stand in quotes.
    fn inherited(self, header: &SessionHeader) -> Option<&str> {
        let text = match self {
            Self::Provider => header.provider.as_deref(),
            Self::Model => header.model.as_deref(),
            _ => None,
        };
        text.filter(|text| !needs_literal(text))
    }
}

impl AttributeValue {
    /// The value as the text of a cell, from which its type can be told.
    #[must_use]
    pub fn cell(&self) -> String {
        match self {
            Self::Number(number) => number_text(*number),
            Self::Bool(flag) => flag.to_string(),
            Self::Text(text) if needs_literal(text) || means_something_else(text) => literal(text),
            Self::Text(text) => text.clone(),
        }
    }

    /// The value of a cell that [`AttributeValue::cell`] gave.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a text that begins with a quote and is no JSON string.
    pub fn from_cell(cell: &str) -> Result<Self> {
        let number = cell.parse().ok().filter(|number: &f64| number.is_finite());
        Ok(match (number, flag_of(cell)) {
            (Some(number), _) => Self::Number(number),
            (None, Some(flag)) => Self::Bool(flag),
            (None, None) => Self::Text(text_of("attribute", cell)?),
        })
    }
}

/// A text, out of its quotes if it has any.
fn text_of(name: &'static str, cell: &str) -> Result<String> {
    if !cell.starts_with('"') {
        return Ok(cell.to_owned());
    }
    serde_json::from_str(cell).map_err(|_| Error::Parameter {
        name,
        value: excerpt(cell),
        expected: "a JSON string, as a cell that begins with a quote must be",
    })
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
