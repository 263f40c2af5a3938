//! Reading sessions that an older version wrote.

use serde_json::{Map, Value};

use super::SCHEMA;
use crate::error::{Error, Location, Result};

/// Brings a session's header to the current version, or says why that cannot be done.
///
/// Version 1 is the first: there is nothing to migrate from yet. A later version adds its step here, one function from
/// each version to the next.
pub(super) fn to_current(header: &Map<String, Value>, location: Location) -> Result<()> {
    let schema = header.get("schema").and_then(Value::as_str).unwrap_or_default();
    if schema == SCHEMA {
        return Ok(());
    }
    Err(Error::Format {
        location: location.field("schema"),
        problem: format!("\"{schema}\" is not a version of the session format that this program knows ({SCHEMA})"),
        fix: "update the program, or record the session again".to_owned(),
    })
}
