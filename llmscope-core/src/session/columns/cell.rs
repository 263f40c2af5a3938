//! Cells of text: values are written so that their type can be restored and a spreadsheet executes none of them.

use super::field::{FieldValue, flag_of, number_text};
use super::{Field, FieldKind};
use crate::error::{Error, Result, excerpt};
use crate::session::{AttributeValue, RequestRecord, SessionHeader};

impl Field {
    /// The field's value in a request as the text of a cell; `None` if it was not recorded. Provider and model are
    /// filled in from the header, so that you can group by them. A request's own value is quoted if it equals the
    /// header's. The status is not recorded if the log did not tell which requests failed.
    #[must_use]
    pub fn cell(self, record: &RequestRecord, header: &SessionHeader) -> Option<String> {
        if self == Self::Status && header.outcomes_unknown && record.succeeded() {
            return None;
        }
        let inherited = self.inherited(header);
        Some(match self.of(record) {
            None => inherited?.to_owned(),
            Some(FieldValue::Text(text)) if needs_literal(&text) || inherited == Some(&text) => literal(&text),
            Some(value) => value.to_string(),
        })
    }

    /// Sets the field of a request from the text of a cell that [`Field::cell`] wrote.
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

    /// The header's value for requests without their own, unless it would need quotes.
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
    /// The value as the text of a cell from which its type can be restored.
    #[must_use]
    pub fn cell(&self) -> String {
        match self {
            Self::Number(number) => number_text(*number),
            Self::Bool(flag) => flag.to_string(),
            Self::Text(text) if needs_literal(text) || means_something_else(text) => literal(text),
            Self::Text(text) => text.clone(),
        }
    }

    /// The value of a cell that [`AttributeValue::cell`] wrote.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a text that begins with a quotation mark and is not a JSON string.
    pub fn from_cell(cell: &str) -> Result<Self> {
        let number = cell.parse().ok().filter(|number: &f64| number.is_finite());
        Ok(match (number, flag_of(cell)) {
            (Some(number), _) => Self::Number(number),
            (None, Some(flag)) => Self::Bool(flag),
            (None, None) => Self::Text(text_of("attribute", cell)?),
        })
    }
}

/// A text, unquoted if it is quoted.
fn text_of(name: &'static str, cell: &str) -> Result<String> {
    if !cell.starts_with('"') {
        return Ok(cell.to_owned());
    }
    serde_json::from_str(cell).map_err(|_| Error::Parameter {
        name,
        value: excerpt(cell),
        expected: "a JSON string, because the cell begins with a quote",
    })
}

/// True for a text that is indistinguishable from a missing value or a quoted text, or that a spreadsheet would execute
/// as a formula (OWASP, CSV injection: a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break).
fn needs_literal(text: &str) -> bool {
    text.is_empty() || text.starts_with(['"', '=', '+', '-', '@', '\t', '\r', '\n'])
}

/// True for a text that this reader, or a more lenient one, would parse as a number or a boolean.
fn means_something_else(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.parse::<f64>().is_ok() || flag_of(text).is_some()
}

/// A text as a JSON string.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
