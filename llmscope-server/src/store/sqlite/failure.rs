//! Why a request failed, for the answers of an analysis.

use llmscope_core::ingest::FailureKind;
use llmscope_core::session::{RequestError, Status};

use super::row::parsed;

/// The SQL expression of the error of a failed request, as JSON.
pub(super) const EXPRESSION: &str = "CASE WHEN r.status <> 0 THEN json_extract(r.rest, '$.error') END";
/// The column of [`EXPRESSION`] in messages.
const COLUMN: usize = 8;
/// An example keeps this many characters, as the core's reader of sessions does.
const EXAMPLE_LENGTH: usize = 200;

/// The kind of failure of a request with this status and this error, labelled as the core labels the requests of a
/// session. `None` if the request succeeded.
pub(super) fn kind(status: usize, error: Option<&str>) -> rusqlite::Result<Option<FailureKind>> {
    if status == 0 {
        return Ok(None);
    }
    let status = Status::ALL.get(status).copied().unwrap_or(Status::Error);
    let error: Option<RequestError> = error.map(|text| parsed(COLUMN, text)).transpose()?;
    let code = error.as_ref().and_then(|error| error.code);
    let class = error.as_ref().map(|error| error.kind.as_str()).filter(|class| !class.is_empty());
    let label = match (class, code) {
        (Some(class), Some(code)) if !class.contains(&code.to_string()) => format!("{class} {code}"),
        (Some(class), _) => class.to_owned(),
        (None, Some(code)) => format!("{} {code}", status.name()),
        (None, None) if status == Status::Error => "failed".to_owned(),
        (None, None) => status.name().to_owned(),
    };
    let message = error.and_then(|error| error.message);
    let example = message.map(|message| on_one_line(&message).chars().take(EXAMPLE_LENGTH).collect::<String>());
    Ok(Some(FailureKind { label: on_one_line(&label), example: example.filter(|example| !example.is_empty()) }))
}

/// A text of a server without control characters.
fn on_one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
