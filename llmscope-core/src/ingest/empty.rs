//! Errors for files that are well-formed but contain no requests.

use crate::error::{Error, Location};

/// The error for a file without requests; `fix` names what to give instead.
pub(super) fn no_requests(source: &str, fix: &str) -> Error {
    Error::Format { location: Location::of(source), problem: "no requests".to_owned(), fix: fix.to_owned() }
}
