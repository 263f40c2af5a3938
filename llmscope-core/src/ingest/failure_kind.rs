//! Kinds of failed requests, with an example of each.

use crate::session::{RequestError, RequestRecord, Status};

/// A log with more kinds of failures than this counts the rest under the last one.
const MOST_KINDS: usize = 64;
/// An example keeps this many characters.
const EXAMPLE_LENGTH: usize = 200;

/// A kind of failure: failed requests with the same label.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailureKind {
    /// What failed: `timeout`, `http_status 503`, the class of an exception.
    pub label: String,
    /// The message of the first such failure, as the server or the tool wrote it.
    pub example: Option<String>,
}

impl FailureKind {
    /// The kind of a failed record; `None` if the request succeeded.
    pub(super) fn of(record: &RequestRecord) -> Option<Self> {
        Self::of_error(record.status, record.error.as_ref())
    }

    /// The kind of failure of a request that ended with this status and this error; `None` if it succeeded.
    #[must_use]
    pub fn of_error(status: Status, error: Option<&RequestError>) -> Option<Self> {
        if status == Status::Ok {
            return None;
        }
        let kind = error.map(|error| error.kind.as_str()).filter(|kind| !kind.is_empty());
        let label = match (kind, error.and_then(|error| error.code)) {
            (Some(kind), Some(code)) if !kind.contains(&code.to_string()) => format!("{kind} {code}"),
            (Some(kind), _) => kind.to_owned(),
            (None, Some(code)) => format!("{} {code}", status.name()),
            (None, None) => if status == Status::Error { "failed" } else { status.name() }.to_owned(),
        };
        let shortened = |message: &String| on_one_line(message).chars().take(EXAMPLE_LENGTH).collect::<String>();
        let example = error.and_then(|error| error.message.as_ref()).map(shortened);
        Some(Self { label: on_one_line(&label), example: example.filter(|example| !example.is_empty()) })
    }

    /// The number of this kind in a list, counted from 1. A new kind is added.
    pub(crate) fn number_in(known: &mut Vec<Self>, kind: Self) -> u32 {
        let place = known.iter().position(|one| one.label == kind.label).unwrap_or_else(|| {
            if known.len() < MOST_KINDS {
                known.push(kind);
            }
            known.len() - 1
        });
        u32::try_from(place + 1).unwrap_or(u32::MAX)
    }
}

/// A text of a server or a file without control characters, because it goes to terminals.
pub(crate) fn on_one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_the_class_and_the_code_of_its_failures() {
        let record = |status, error: Option<RequestError>| RequestRecord { status, error, ..RequestRecord::default() };
        let error =
            |kind: &str, code| Some(RequestError { kind: kind.to_owned(), code, message: Some("busy".to_owned()) });
        for (record, label) in [
            (record(Status::Error, error("http_status", Some(503))), "http_status 503"),
            (record(Status::Error, error("503", Some(503))), "503"),
            (record(Status::Timeout, None), "timeout"),
            (record(Status::Error, None), "failed"),
        ] {
            assert_eq!(FailureKind::of(&record).map(|kind| kind.label).as_deref(), Some(label));
        }
        assert_eq!(FailureKind::of(&record(Status::Ok, None)), None);
    }
}
