//! Reads sessions that an older version wrote.

use serde_json::{Map, Value};

use super::SCHEMA;
use crate::error::{Error, Location, Result};

/// Migrates a session's header to the current version, or returns the reason why it cannot.
///
/// Version 1 is the first, so there are no migrations yet. A later version adds one function per step from each version
/// to the next.
pub(super) fn to_current(header: &Map<String, Value>, location: Location) -> Result<()> {
    let schema = header.get("schema").and_then(Value::as_str).unwrap_or_default();
    if schema == SCHEMA {
        return Ok(());
    }
    Err(Error::Format {
        location: location.field("schema"),
        problem: format!("\"{schema}\" is not a supported version of the session format ({SCHEMA})"),
        fix: "update llmscope, or record the session again".to_owned(),
    })
}
