//! Error responses.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::error::StoreError;
use crate::identity::KeyReused;

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The request does not say for which host it is, or says two.
    Host(&'static str),
    /// The key is missing or malformed.
    Unauthenticated,
    /// The key is unknown.
    WrongKey,
    /// The caller lacks permission.
    Forbidden(String),
    /// The resource does not exist.
    NotFound(String),
    /// The path does not support the method.
    Method,
    /// The path, the query or the body is invalid.
    Invalid(Vec<FieldError>),
    /// The body is larger than the limit.
    TooLarge,
    /// The media type of the body is not supported.
    Unsupported(String),
    /// The caller exceeded a rate limit; the duration is the time to wait.
    TooMany(Duration),
    /// The store is unavailable for now.
    Unavailable(String),
    /// This build lacks the feature.
    #[cfg_attr(feature = "parquet", allow(dead_code, reason = "a build with all features never returns it"))]
    NotBuilt(String),
    /// An unexpected error, which is in the service's log.
    Internal,
}

/// An error in a field of a path, query or body, in the format of the previous service.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct FieldError {
    /// `path`, `query`, `header` or `body`, then the names and positions that lead to the field.
    pub(crate) loc: Vec<serde_json::Value>,
    /// The error as text.
    pub(crate) msg: String,
    /// The kind of the error, such as `value_error`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

impl FieldError {
    /// An error in a field.
    pub(crate) fn new(part: &str, field: Option<&str>, message: impl Into<String>) -> Self {
        let loc = [Some(part), field].into_iter().flatten().map(Into::into).collect();
        Self { loc, msg: message.into(), kind: "value_error".to_owned() }
    }

    /// An error that serde found at a path.
    pub(crate) fn at(part: &str, path: &serde_path_to_error::Path, message: &str) -> Self {
        use serde_path_to_error::Segment;
        // The parser's position in the text does not help in a message about a field.
        let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
        let mut loc = vec![part.into()];
        loc.extend(path.iter().filter_map(|segment| match segment {
            Segment::Seq { index } => Some((*index).into()),
            Segment::Map { key } => Some(key.as_str().into()),
            Segment::Enum { variant } => Some(variant.as_str().into()),
            Segment::Unknown => None,
        }));
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let kind = match missing {
            Some(field) => {
                loc.push(field.into());
                return Self { loc, msg: "Field required".to_owned(), kind: "missing".to_owned() };
            }
            None if message.contains("greater than or equal to") => "greater_than_equal",
            None if message.contains("less than or equal to") => "less_than_equal",
            None if message.starts_with("unknown field") => "extra_forbidden",
            None if message.starts_with("invalid type") => "type_error",
            None => "value_error",
        };
        Self { loc, msg: message.to_owned(), kind: kind.to_owned() }
    }
}

impl ApiError {
    /// An error in one field of the query.
    pub(crate) fn query(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new("query", Some(field), message)])
    }

    /// An error in the body.
    pub(crate) fn body(message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new("body", None, message)])
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Host(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::WrongKey => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotBuilt(_) => StatusCode::NOT_ACCEPTABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let seconds = match &self {
            // Rounded up, so that a client that waits this long is within the limit.
            Self::TooMany(wait) => Some(wait.as_secs() + 1),
            Self::Unavailable(_) => Some(5),
            _ => None,
        };
        let detail = match self {
            Self::Host(message) => json!(message),
            Self::Unauthenticated => json!("Not authenticated"),
            Self::WrongKey => json!("Invalid API key"),
            Self::Method => json!("Method Not Allowed"),
            Self::TooLarge => json!("the body is too large"),
            Self::TooMany(_) => json!("too many requests"),
            Self::Internal => json!("Internal Server Error"),
            Self::Invalid(errors) => json!(errors),
            Self::Forbidden(message)
            | Self::NotFound(message)
            | Self::Unsupported(message)
            | Self::Unavailable(message)
            | Self::NotBuilt(message) => json!(message),
        };
        let mut response = (status, Json(json!({"detail": detail}))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The body may not have been read, and the next request would begin within it.
        if matches!(
            status,
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE
        ) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(seconds) = seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Absent { what, id } => Self::NotFound(format!("there is no {what} {id}")),
            StoreError::Full { .. } => {
                Self::Unavailable("the disk of the service is full: nothing was stored".to_owned())
            }
            StoreError::Busy { .. } => Self::Unavailable("the store is busy: try again".to_owned()),
            other => {
                tracing::error!(error = %other, "the store failed");
                Self::Internal
            }
        }
    }
}

impl From<KeyReused> for ApiError {
    fn from(_: KeyReused) -> Self {
        let message = "this key was used for a call with another body: expected a new key for each call";
        Self::Invalid(vec![FieldError::new("header", Some(super::idempotency::HEADER), message)])
    }
}

/// The core cannot compute the request; its message gives the reason.
impl From<llmscope_core::Error> for ApiError {
    fn from(error: llmscope_core::Error) -> Self {
        let field = match &error {
            llmscope_core::Error::Parameter { name, .. } => Some(*name),
            _ => None,
        };
        Self::Invalid(vec![FieldError::new("query", field, error.to_string())])
    }
}
