//! Maps HTTP status codes to failures.

use crate::session::RequestError;

/// The lowest status of an error response.
const FIRST_REFUSAL: u16 = 400;

/// The reason that an HTTP status gives for a failure; `None` for a success. OpenTelemetry's `error.type` is then the
/// status itself.
pub(super) fn refusal(status: u16) -> Option<RequestError> {
    (status >= FIRST_REFUSAL).then(|| RequestError {
        kind: status.to_string(),
        code: Some(status.into()),
        message: None,
    })
}
