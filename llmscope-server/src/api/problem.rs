//! What is answered to a request that cannot be served.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::error::StoreError;

/// Why a request cannot be served.
#[derive(Debug)]
pub(crate) enum Problem {
    /// No key, or something that is none.
    Unauthenticated,
    /// A key that is not known.
    WrongKey,
    /// Who asks may not.
    Forbidden(String),
    /// There is nothing of that name.
    NotFound(String),
    /// The path takes other methods.
    Method,
    /// The body or the query is wrong.
    Invalid(Vec<Flaw>),
    /// The body is larger than what is taken.
    TooLarge,
    /// The body is of a kind that is not taken.
    Unsupported(String),
    /// Too often.
    TooMany(Duration),
    /// The store refuses for now.
    Unavailable(String),
    /// This build cannot.
    #[cfg_attr(feature = "parquet", allow(dead_code, reason = "a build with everything can"))]
    NotBuilt(String),
    /// Something broke, which the log tells.
    Internal,
}

/// What is wrong with a body or a query, in the form of the earlier service.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Flaw {
    /// `body` or `query`, then names and positions down to the place.
    pub(crate) loc: Vec<serde_json::Value>,
    /// What is wrong, in words.
    pub(crate) msg: String,
    /// What is wrong, in one word.
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

impl Flaw {
    /// A flaw of a field.
    pub(crate) fn new(part: &str, field: Option<&str>, message: impl Into<String>) -> Self {
        let loc = [Some(part), field].into_iter().flatten().map(Into::into).collect();
        Self { loc, msg: message.into(), kind: "value_error".to_owned() }
    }

    /// A flaw that serde found at a path.
    pub(crate) fn at(part: &str, path: &serde_path_to_error::Path, message: &str) -> Self {
        use serde_path_to_error::Segment;
        // Where the parser stood is of no use in a message about a field.
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

impl Problem {
    /// One flaw of a query's field.
    pub(crate) fn query(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Flaw::new("query", Some(field), message)])
    }

    /// One flaw of the body.
    pub(crate) fn body(message: impl Into<String>) -> Self {
        Self::Invalid(vec![Flaw::new("body", None, message)])
    }

    fn status(&self) -> StatusCode {
        match self {
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

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let seconds = match &self {
            // Rounded up: whoever waits that long is let through.
            Self::TooMany(wait) => Some(wait.as_secs() + 1),
            Self::Unavailable(_) => Some(5),
            _ => None,
        };
        let detail = match self {
            Self::Unauthenticated => json!("Not authenticated"),
            Self::WrongKey => json!("Invalid API key"),
            Self::Method => json!("Method Not Allowed"),
            Self::TooLarge => json!("the body is too large"),
            Self::TooMany(_) => json!("too many requests"),
            Self::Internal => json!("Internal Server Error"),
            Self::Invalid(flaws) => json!(flaws),
            Self::Forbidden(words)
            | Self::NotFound(words)
            | Self::Unsupported(words)
            | Self::Unavailable(words)
            | Self::NotBuilt(words) => json!(words),
        };
        let mut response = (status, Json(json!({"detail": detail}))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Absent { what, id } => Self::NotFound(format!("there is no {what} {id}")),
            StoreError::Full { .. } => {
                Self::Unavailable("the disk of the service is full: nothing was kept".to_owned())
            }
            StoreError::Busy { .. } => Self::Unavailable("the store is busy: try again".to_owned()),
            other => {
                tracing::error!(error = %other, "the store failed");
                Self::Internal
            }
        }
    }
}

/// What was asked for cannot be computed: the core's words say why.
impl From<llmscope_core::Error> for Problem {
    fn from(error: llmscope_core::Error) -> Self {
        let field = match &error {
            llmscope_core::Error::Parameter { name, .. } => Some(*name),
            _ => None,
        };
        Self::Invalid(vec![Flaw::new("query", field, error.to_string())])
    }
}
