//! What an HTTP status says of a request.

use crate::session::RequestError;

/// The lowest status of a refusal.
const FIRST_REFUSAL: u16 = 400;

/// Why a request failed by its HTTP status, if it did. OpenTelemetry's `error.type` is then the status itself.
pub(super) fn refusal(status: u16) -> Option<RequestError> {
    (status >= FIRST_REFUSAL).then(|| RequestError {
        kind: status.to_string(),
        code: Some(status.into()),
        message: None,
    })
}
