//! Annotations of violations and incidents: who acknowledged or resolved them, and notes.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::api_error::{ApiError, FieldError};
use crate::access::Caller;
use crate::store::Annotation;
use crate::violation::ViolationStatus;

/// The longest note, in bytes.
const LONGEST_NOTE: usize = 10_000;

/// An optional note.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct MaybeNote {
    #[serde(default)]
    pub(super) note: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteText {
    pub(super) text: String,
}

/// An annotation by the caller, now. A note of spaces is left out, one that is too long is refused.
pub(super) fn annotation(
    caller: &Caller,
    status: Option<ViolationStatus>,
    note: Option<String>,
) -> Result<Annotation, ApiError> {
    let note = note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
    if note.as_ref().is_some_and(|note| note.len() > LONGEST_NOTE) {
        return Err(ApiError::body(format!("the note is too long: expected at most {LONGEST_NOTE} bytes")));
    }
    Ok(Annotation { status, note, by: caller.name.to_string(), at: Timestamp::now() })
}

/// Statuses that are separated by commas.
pub(super) fn statuses(text: Option<&str>) -> Result<Vec<ViolationStatus>, ApiError> {
    let names = text.unwrap_or_default().split(',').filter(|name| !name.is_empty());
    let statuses = names.map(str::parse).collect::<Result<_, String>>();
    statuses.map_err(|message| ApiError::query("status", message))
}

/// Refuses a note without text.
pub(super) fn text(text: String) -> Result<String, ApiError> {
    if text.trim().is_empty() {
        let message = "the note is empty: expected some text";
        return Err(ApiError::Invalid(vec![FieldError::new("body", Some("text"), message)]));
    }
    Ok(text)
}
