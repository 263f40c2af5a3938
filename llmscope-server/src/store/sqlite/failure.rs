//! Why a request failed, for the answers of an analysis.

use llmscope_core::ingest::FailureKind;
use llmscope_core::session::{RequestError, Status};

use super::row::parsed;

/// The SQL expression of the error of a failed request, as JSON.
pub(super) const EXPRESSION: &str = "CASE WHEN r.status <> 0 THEN json_extract(r.rest, '$.error') END";
/// The column of [`EXPRESSION`] in messages.
const COLUMN: usize = 8;

/// The kind of failure of a request with this status and this error; `None` if the request succeeded.
pub(super) fn kind(status: usize, error: Option<&str>) -> rusqlite::Result<Option<FailureKind>> {
    let status = Status::ALL.get(status).copied().unwrap_or(Status::Error);
    let error: Option<RequestError> = error.map(|text| parsed(COLUMN, text)).transpose()?;
    Ok(FailureKind::of_error(status, error.as_ref()))
}
