//! Files that are well-formed and tell of nothing.

use crate::error::{Error, Location};

/// The refusal of a file without a request; `fix` says what to give instead.
pub(super) fn no_requests(source: &str, fix: &str) -> Error {
    Error::Format { location: Location::of(source), problem: "no requests".to_owned(), fix: fix.to_owned() }
}
